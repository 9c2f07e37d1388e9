import CheckpointCodec
import CheckpointImage
import Formats
import Glibc
import GuestMemory
import Storage
import TestSupport

/// Damages real memory of a guest again and again, and asks for all there is to know of it: FILE CR3 SEED ROUNDS.
/// Ends with 1 if one round takes longer than two seconds, or a page that is in use is left out as free although the
/// damage did not touch its own descriptor.
@main struct DamagedGuest {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5, let register = UInt64(arguments[2], radix: 16),
      let seed = UInt64(arguments[3]), let rounds = Int(arguments[4]),
      let file = try RawSource(InputStream(arguments[1])).sourceMemory?.memory
    else {
      print("usage: damaged-guest FILE CR3 SEED ROUNDS")
      exit(64)
    }
    var random = SplitMix64(seed: seed)
    let memory = DamagedMemory(file)
    var clues = MemoryClues()
    clues.pageTables = [register]
    let whole = try Knowledge(memory, clues)
    let frames = try whole.frames(memory)
    var slowest = Duration.zero
    var refused = 0
    var given = 0
    for round in 0..<rounds {
      memory.changed = [:]
      let kind = Int.random(in: 0..<frames.count, using: &random)
      for _ in 0..<(1 << Int.random(in: 0..<8, using: &random)) {
        try memory.damage(frames[kind].randomElement(using: &random) ?? 0, &random)
      }
      let clues = round % 2 == 0 ? clues : MemoryClues()
      var found: Knowledge?
      var time = ContinuousClock().measure { found = try? Knowledge(memory, clues) }
      // Another program may have had the processors meanwhile.
      if time > .seconds(2) {
        time = ContinuousClock().measure { found = try? Knowledge(memory, clues) }
      }
      slowest = max(slowest, time)
      if time > .seconds(2) { fail("round \(round) took \(time), twice") }
      guard let found else {
        refused += 1
        continue
      }
      // Other damage may show the kernel other descriptors altogether.
      guard kind == 0 else { continue }
      for pfn in whole.inUse where found.plan[pfn] != .none {
        given += 1
        if try !memory.isChanged(whole.descriptor(of: pfn), whole.descriptorSize) {
          fail(
            "round \(round): page \(pfn), \(whole.classes[pfn]), is left out as \(found.plan[pfn])")
        }
      }
    }
    print(
      "\(rounds) rounds, \(refused) refused, the slowest took \(slowest); "
        + "\(given) pages in use are free by their own damaged descriptors")
  }

  private static func fail(_ text: String) -> Never {
    print(text)
    exit(1)
  }
}

/// All there is to know of a guest.
struct Knowledge {
  let guest: LinuxGuest
  let classes: PageClasses
  let plan: EvictionPlan
  /// Pages that hold something, by their descriptors.
  let inUse: [PFN]

  init(_ memory: DamagedMemory, _ clues: MemoryClues) throws(CheckpointError) {
    guest = try LinuxGuest.find(in: memory, clues)
    _ = try guest.facts
    classes = try PageClasses(of: guest)
    plan = try classes.plan(.free)
    for policy in [EvictionPolicy.cache, .user] { _ = try classes.plan(policy) }
    for level in [1, 31] { _ = try DumpLevel(level)?.plan(of: guest) }
    let unused: Set<PageClass> = [.free, .perCPUList, .balloon, .offline, .unknown]
    inUse = (0..<memory.held).filter { [classes] in !unused.contains(classes[$0]) }
  }

  /// Frames to be damaged: of descriptors, of the kernel, and any.
  func frames(_ memory: DamagedMemory) throws(CheckpointError) -> [[PFN]] {
    var descriptors: [PFN] = []
    for pfn in stride(from: 0, to: memory.held, by: 64) {
      descriptors.append(try descriptor(of: pfn) >> 12)
    }
    let kernel = inUse.filter { classes[$0] == .pageTable || classes[$0] == .reserved }
    return [descriptors, kernel, Array(0..<memory.held)]
  }

  /// Bytes of a descriptor.
  var descriptorSize: UInt64 { guest.information.size("page") ?? 64 }

  /// The physical address of a page's descriptor.
  func descriptor(of pfn: PFN) throws(CheckpointError) -> UInt64 {
    guard let pointer = try guest.symbol("vmemmap_base"),
      let base = try guest.bytes(at: pointer, count: 8)?.u64(0),
      let place = try guest.translate(base &+ pfn &* descriptorSize)
    else { throw CheckpointError(.refused, "page \(pfn) has no descriptor") }
    return place
  }
}

/// A guest's memory from a file, damaged; behind its end, up to 1 GiB, the same again.
final class DamagedMemory: PhysicalMemory {
  let limit: PFN = 1 << 18
  /// Pages of the file.
  let held: PFN
  var changed: [PFN: [UInt8]] = [:]
  private let file: any PhysicalMemory

  init(_ file: any PhysicalMemory) {
    self.file = file
    held = file.limit
  }

  /// Whether any of some bytes within a page is another one.
  func isChanged(_ address: UInt64, _ count: UInt64) throws(CheckpointError) -> Bool {
    guard let page = changed[address >> 12] else { return false }
    let buffer = PageBuffer(pages: 1)
    guard try file.copy([address >> 12], to: buffer, at: 0).isEmpty else { return true }
    let place = Int(address & 0xfff)
    let bytes = place..<min(place + Int(count), page.count)
    return unsafe buffer.page(0).withUnsafeBytes { before in
      bytes.contains { unsafe before[$0] != page[$0] }
    }
  }

  func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int)
    throws(CheckpointError) -> [Int]
  {
    var wanted: [PFN] = []
    for pfn in pfns { wanted.append(pfn < limit ? pfn % held : .max) }
    let unknown = try file.copy(wanted[...], to: buffer, at: slot)
    for (place, pfn) in pfns.enumerated() {
      guard let page = changed[pfn] else { continue }
      unsafe page.withUnsafeBytes { unsafe buffer.copy($0, to: slot + place) }
    }
    return unknown.map { $0 + pfns.startIndex }
  }

  /// Some words of a page become something else that may hurt.
  func damage(_ pfn: PFN, _ random: inout SplitMix64) throws(CheckpointError) {
    let buffer = PageBuffer(pages: 1)
    guard try copy([pfn], to: buffer, at: 0).isEmpty else { return }
    var words = unsafe buffer.page(0).withUnsafeBytes {
      unsafe Array($0.bindMemory(to: UInt64.self))
    }
    let used = words.indices.filter { words[$0] != 0 }
    for _ in 0..<(1 << Int.random(in: 0..<6, using: &random)) {
      let place = used.randomElement(using: &random) ?? 0
      let other = words[Int.random(in: 0..<512, using: &random)]
      switch Int.random(in: 0..<7, using: &random) {
      case 0: words[place] ^= 1 << UInt64.random(in: 0..<64, using: &random)
      case 1: words[place] = random.next()
      case 2: words[place] = .max
      case 3: words[place] = other
      // A table that leads to itself.
      case 4: words[place] = pfn << 12 | 3
      // A page that says of itself what another one does.
      case 5:
        let (from, to) = (Int.random(in: 0..<64, using: &random) * 8, place & ~7)
        for word in 0..<8 { words[to + word] = words[from + word] }
      default: words = words.map { _ in other }
      }
    }
    changed[pfn] = unsafe words.withUnsafeBytes { unsafe Array($0) }
  }
}
