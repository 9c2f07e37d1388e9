internal import CheckpointCodec
internal import CheckpointImage
internal import Storage

/// The page descriptors of a guest: an array over all memory, in sections that are found through the table
/// `mem_section` and mapped by the kernel's page tables. Parts of it may be missing, or mapped to the same
/// frame, like the descriptors of huge pages.
struct DescriptorArray {
  /// The most pages that may be described: 1 TiB.
  static let mostPages: PFN = 1 << 28
  /// The most described pages for each existing page, and a constant besides: memory has gaps, and a source may
  /// lack pages, but the guest must not decide how long reading its descriptors takes.
  private static let mostForEach = 256
  private static let mostBesides = 1 << 20

  /// A unit is the smallest number of pages whose descriptors fill whole frames.
  let unitPages: Int
  /// The number of frames that they fill.
  let unitFrames: Int
  /// One past the last described page.
  private(set) var pageCount: Int
  /// The frame of each 4 KiB of the array; `absent` if it has none.
  private(set) var frames: [PFN]
  /// The frames of the page tables that map the array, and those of `mem_section`.
  private(set) var tableFrames: Set<PFN> = []
  /// The address that the descriptor of page 0 would have, for each section; 0 if it has no descriptors.
  private var bases: [UInt64]
  /// The binary logarithm of the pages in a section.
  private let sectionShift: Int
  /// Receives descriptors; kept, because fresh memory would cost time in a pause.
  let buffer: PageBuffer

  static let absent = PFN.max

  /// Walks `mem_section` and the page tables, without reading the array itself.
  ///
  /// - Throws: `.refused` if the kernel does not say where its descriptors are.
  init(
    of guest: LinuxGuest, _ layout: DescriptorLayout, readingInto buffer: PageBuffer = PageBuffer()
  ) throws(CheckpointError) {
    self.buffer = buffer
    let information = guest.information
    guard let table = information.symbol("mem_section"),
      let length = information.length("mem_section"),
      let sectionBits = information.number("SECTION_SIZE_BITS"), (24...34).contains(sectionBits),
      let addressBits = information.number("MAX_PHYSMEM_BITS"),
      (sectionBits...52).contains(addressBits),
      let entrySize = information.size("mem_section"), (8...4096).contains(entrySize),
      let field = information.offset("mem_section.section_mem_map"), field <= entrySize - 8
    else {
      throw CheckpointError(
        .refused, "the kernel does not say where its page descriptors are: mem_section")
    }
    guard guest.memory.limit <= Self.mostPages else {
      throw CheckpointError(.refused, "page descriptors for more than 1 TiB are not read")
    }
    let size = layout.byteCount
    let step = size & -size
    unitPages = Limits.pageSize / min(step, Limits.pageSize)
    unitFrames = unitPages * size / Limits.pageSize
    sectionShift = Int(sectionBits) - Int(Limits.pageShift)
    let sectionPages = 1 << sectionShift
    let most = 1 << Int(addressBits - sectionBits)
    let count = min((Int(guest.memory.limit) + sectionPages - 1) >> sectionShift, most)
    pageCount = 0
    bases = [UInt64](repeating: 0, count: count)
    frames = []

    // Either all entries in one array, or a table of pointers to pages full of them (SPARSEMEM_EXTREME).
    let entries = Int(entrySize)
    let perRoot = Limits.pageSize / entries
    if length == UInt64((most + perRoot - 1) / perRoot) {
      let roots = (count + perRoot - 1) / perRoot
      try noteFrames(of: table, count: roots * 8, guest)
      let pointers = try guest.bytes(at: table, count: roots * 8) ?? []
      for root in 0..<pointers.count / 8 {
        let pointer = pointers.u64(root * 8)
        guard pointer != 0 else { continue }
        try noteFrames(of: pointer, count: perRoot * entries, guest)
        guard let bytes = try guest.bytes(at: pointer, count: perRoot * entries) else { continue }
        takeBases(bytes, entries, Int(field), from: root * perRoot)
      }
    } else {
      try noteFrames(of: table, count: count * entries, guest)
      takeBases(
        try guest.bytes(at: table, count: count * entries) ?? [], entries, Int(field), from: 0)
    }
    // Memory may continue far beyond the last page that the kernel knows.
    bases.removeLast(count - (bases.lastIndex { $0 != 0 } ?? -1) - 1)
    pageCount = min(Int(guest.memory.limit), bases.count << sectionShift)
    let there = guest.memory.runs.reduce(0) { $0 + $1.count }
    guard pageCount <= there * Self.mostForEach + Self.mostBesides else {
      throw CheckpointError(
        .refused, "the kernel describes \(pageCount) pages, and the memory has only \(there)")
    }
    frames = [PFN](
      repeating: Self.absent, count: (pageCount + unitPages - 1) / unitPages * unitFrames)
    for section in bases.indices where bases[section] != 0 {
      try takeFrames(of: section, size, guest)
    }
    guard frames.contains(where: { $0 != Self.absent }) else {
      throw CheckpointError(
        .refused,
        "there are no page descriptors where the kernel has them (memory may be missing)")
    }
  }

  /// The address that the descriptor of page 0 would have if the array had no gaps.
  func base(of pfn: Int) -> UInt64 { bases[pfn >> sectionShift] }

  /// One past the last page of the section with this page.
  func sectionEnd(after pfn: Int) -> Int { ((pfn >> sectionShift) + 1) << sectionShift }

  /// One past the last page of the last section with descriptors.
  var describedEnd: Int {
    min(((bases.lastIndex { $0 != 0 } ?? -1) + 1) << sectionShift, pageCount)
  }

  /// The numbers of all units.
  var units: Range<Int> { 0..<frames.count / unitFrames }

  /// The frames with the descriptors of a unit.
  func frames(of unit: Int) -> ArraySlice<PFN> {
    frames[unit * unitFrames..<(unit + 1) * unitFrames]
  }

  /// The pages that a unit describes.
  func pages(of unit: Int) -> Range<Int> {
    unit * unitPages..<min((unit + 1) * unitPages, pageCount)
  }

  /// Reads descriptors unit by unit; `body`, which must not read others, is not called for units with missing frames.
  func read(
    _ units: some Sequence<Int>, from memory: any PhysicalMemory,
    _ body: (_ unit: Int, _ bytes: RawSpan) -> Void
  ) throws(CheckpointError) {
    let batch = buffer.pageCount / unitFrames
    var waiting: [Int] = []
    var wanted: [PFN] = []
    func flush() throws(CheckpointError) {
      let unknown = try memory.copy(wanted[...], to: buffer, at: 0)
      let unknownUnits = Set(unknown.map { $0 / unitFrames })
      for (place, unit) in waiting.enumerated() where !unknownUnits.contains(place) {
        body(unit, buffer.bytes(place * unitFrames..<(place + 1) * unitFrames))
      }
      waiting.removeAll(keepingCapacity: true)
      wanted.removeAll(keepingCapacity: true)
    }
    for unit in units where !frames(of: unit).contains(Self.absent) {
      waiting.append(unit)
      wanted.append(contentsOf: frames(of: unit))
      if waiting.count == batch { try flush() }
    }
    if !waiting.isEmpty { try flush() }
  }

  /// Takes the addresses of sections' descriptors from entries of `mem_section`.
  private mutating func takeBases(_ bytes: [UInt8], _ size: Int, _ field: Int, from first: Int) {
    // Bit 0: the section is present; bit 1: it has descriptors. Other low bits are flags as well.
    let wanted: UInt64 = 3
    for index in 0..<bytes.count / size where first + index < bases.count {
      let entry = bytes.u64(index * size + field)
      if entry & wanted == wanted { bases[first + index] = entry & ~0xfff }
    }
  }

  /// Takes the frames of a section's descriptors from the page tables.
  private mutating func takeFrames(of section: Int, _ size: Int, _ guest: LinuxGuest)
    throws(CheckpointError)
  {
    let start = section << sectionShift
    let first = start * size / Limits.pageSize
    let end = min(first + (size << sectionShift) / Limits.pageSize, frames.count)
    var place = first
    while place < end {
      let virtual = bases[section] &+ UInt64(place * Limits.pageSize)
      let (mapping, reach) = try guest.tables.step(
        virtual, guest.pages, visit: { tableFrames.insert($0) })
      // A missing entry in a high table leaves many pages unmapped at once.
      let count = min(max(Int(clamping: reach >> 12), 1), end - place)
      defer { place += count }
      guard let mapping else { continue }
      for step in 0..<count {
        let frame = (mapping.physical >> 12) + UInt64(step)
        if frame < guest.memory.limit { frames[place + step] = frame }
      }
    }
  }

  private mutating func noteFrames(of virtual: UInt64, count: Int, _ guest: LinuxGuest)
    throws(CheckpointError)
  {
    for page in stride(from: 0, to: count + Int(virtual & 0xfff), by: Limits.pageSize) {
      let address = (virtual & ~0xfff) &+ UInt64(page)
      if let mapping = try guest.mapping(of: address, visit: { tableFrames.insert($0) }) {
        tableFrames.insert(mapping.physical >> 12)
      }
    }
  }
}
