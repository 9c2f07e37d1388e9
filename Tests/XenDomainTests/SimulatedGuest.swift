#if Xen
import CheckpointCodec
import CheckpointImage
import Formats
import GuestMemory

@testable import XenDomain

/// One life of a made-up guest, which works whenever it is looked at, unless it is suspended.
final class SimulatedGuest {
  struct Page: Equatable {
    var status = PageStatus(.unpopulated)
    /// What makes up the contents; 0 is a page of zeros.
    var seed: UInt64 = 0
    /// Another each time the page gets memory.
    var frame: UInt64 = 0
  }

  let reference: DomainReference
  private(set) var pages: [Page] = []
  private(set) var isSuspended = false
  private(set) var isEnded = false
  private(set) var isLogOn = false
  private(set) var controls: [ModelControl] = []
  /// Pages whose writes pass the log by.
  var unlogged: Set<PFN> = []
  /// Pages that it lets others read.
  private(set) var granted: Set<PFN> = []
  /// Pages that hold the P2M.
  private let table: [PFN]
  /// Pages from PFN 0 on that say for 64 pages each which of them are free: their first word.
  private let descriptors: Int

  /// Its memory target, in KiB.
  var target: UInt64
  /// What it could do without; nil if that cannot be read.
  var spare: MemoryCounters?

  private unowned let host: ModelHost
  private var written: Set<PFN> = []
  /// What the last refresh found.
  private var known: [Page] = []
  private var isLastReadingDone = false

  init(_ host: ModelHost, id: UInt32, pages count: Int) {
    self.host = host
    target = UInt64(count) * 4
    reference = DomainReference(
      id: id, uuid: DomainUUID([UInt8](repeating: 7, count: 16)), name: "model")
    descriptors = host.habits.uses > 0 ? (count + 63) / 64 : 0
    table = host.habits.uses > 0 ? (0..<2).map { _ in PFN(host.below(count)) } : []
    for _ in 0..<count { pages.append(host.below(10) == 0 ? Page() : fresh()) }
    for pfn in 0..<descriptors { pages[pfn] = Page(status: PageStatus(.data), seed: host.number()) }
    for _ in 0..<descriptors { granted.insert(PFN(host.below(count))) }
    for _ in 0..<count / 100 { unlogged.insert(PFN(host.below(count))) }
  }

  private func fresh() -> Page {
    switch host.below(50) {
    case 0: Page(status: PageStatus(.allocateOnly), frame: host.number())
    case 1: Page(status: PageStatus(.broken), frame: host.number())
    default: Page(status: PageStatus(.data, type: type()), seed: seed(), frame: host.number())
    }
  }

  private func seed() -> UInt64 { host.below(8) == 0 ? 0 : host.number() | 1 }
  private func type() -> PageType { [0, 0, 0, 1, 2, 3, 4, 9, 12][host.below(9)] }

  // MARK: What happens to it

  /// A call: before it, the guest works.
  func begin(_ call: String) throws(CheckpointError) {
    try host.begin(call)
    work()
    if isEnded { throw .gone(reference.id) }
  }

  private func work() {
    guard !isSuspended, !isEnded else { return }
    let habits = host.habits
    for _ in 0..<host.below(habits.writes + 1) { write(host.below(pages.count)) }
    for _ in 0..<host.below(habits.types + 1) { retype(host.below(pages.count)) }
    for _ in 0..<host.below(habits.balloon + 1) { balloon(host.below(pages.count)) }
    if habits.uses > 0 {
      for _ in 0..<host.below(habits.uses + 1) { use(host.below(64 * descriptors)) }
    }
    if host.happens(habits.grows) {
      for _ in 0..<host.below(100) { pages.append(host.below(2) == 0 ? Page() : fresh()) }
    }
    if host.happens(habits.losesLog) { isLogOn = false }
    if host.happens(habits.ends) { isEnded = true }
  }

  /// The guest writes to a page.
  func write(_ pfn: Int) {
    write(pfn, seed())
  }

  private func write(_ pfn: Int, _ seed: UInt64) {
    guard pages[pfn].status.state == .data else { return }
    pages[pfn].seed = seed
    if isLogOn, !unlogged.contains(PFN(pfn)) { written.insert(PFN(pfn)) }
  }

  private func retype(_ pfn: Int) {
    guard pages[pfn].status.state == .data else { return }
    pages[pfn].status.type = type()
  }

  /// A page appears or vanishes, of which the log knows nothing.
  private func balloon(_ pfn: Int) {
    guard pfn >= descriptors else { return }
    pages[pfn] = pages[pfn].status.state == .unpopulated ? fresh() : Page()
  }

  /// A free page comes into use, or the reverse: only its descriptor is written to.
  private func use(_ pfn: Int) {
    write(pfn / 64, pages[pfn / 64].seed ^ 1 << (pfn % 64))
  }

  /// Whether a page of some moment of this guest need not be saved.
  func canBeEvicted(_ pfn: PFN, of pages: [Page]) -> Bool {
    guard pfn < 64 * descriptors, pfn < pages.count, pages[Int(pfn)].status == PageStatus(.data),
      !unlogged.contains(pfn), !granted.contains(pfn), !table.contains(pfn)
    else { return false }
    return pages[Int(pfn) / 64].seed >> (pfn % 64) & 1 == 1
  }

  /// The guest shuts down.
  func end() { isEnded = true }

  /// Somebody switches the log off and on again: what it knew is lost.
  func forgetWrites() { written = [] }

  // MARK: What is done to it by way of a guard

  func startLog() {
    isLogOn = true
    written = []
  }

  func stopLog() { isLogOn = false }

  /// Its balloon driver follows the target, as far as there is something to spare.
  func balloon(to target: UInt64) {
    let isLess = target < self.target
    var left = isLess ? self.target - target : target - self.target
    self.target = target
    for pfn in pages.indices where left >= 4 {
      if isLess, spare.map({ $0.free == 0 }) ?? false { return }
      guard (pages[pfn].status.state == .data) == isLess else { continue }
      balloon(pfn)
      left -= 4
      if let free = spare?.free { spare?.free = isLess ? free - min(1, free) : free + 1 }
    }
  }

  func suspend() throws(CheckpointError) {
    if host.happens(host.habits.ends) { isEnded = true }
    if isEnded || host.happens(host.habits.refuses) {
      throw CheckpointError(.refused, "did not suspend itself", file: "domain \(reference.id)")
    }
    host.check(!isSuspended, "suspended twice")
    isSuspended = true
    isLastReadingDone = false
    host.suspended()
  }

  func resume() {
    host.check(isSuspended, "resumed but not suspended")
    isSuspended = false
  }
}

// MARK: - As a domain

extension SimulatedGuest: LiveDomain {
  var version: String { "4.17.0" }
  var release: (major: UInt32, minor: UInt32) { (4, 17) }
  var memory: any DomainMemory { self }
  var log: any DirtyLog { self }

  func classifier(in memory: any PhysicalMemory) throws(CheckpointError) -> any PageClassifier {
    try begin("classifier")
    guard descriptors > 0 else { throw CheckpointError(.refused, "no kernel is recognised") }
    return try ModelClasses(memory, descriptors) { [unowned host] in host.habits.isEndless }
  }

  func guarded() throws(CheckpointError) -> (control: any DomainControl, recovered: [String]) {
    try host.begin("guarded")
    host.check(controls.allSatisfy(\.isClosed), "guarded twice at a time")
    let control = ModelControl(self, host)
    controls.append(control)
    return (control, [])
  }

  func configuration() throws(CheckpointError) -> [UInt8] {
    try begin("configuration")
    return Array("{}\0".utf8)
  }

  func memoryTarget() throws(CheckpointError) -> UInt64 {
    try begin("memoryTarget")
    return target
  }

  func counters() throws(CheckpointError) -> MemoryCounters {
    try begin("counters")
    guard let spare else { throw CheckpointError(.refused, "its counters cannot be read") }
    return spare
  }

  func pageCount() throws(CheckpointError) -> UInt64 {
    try begin("pageCount")
    return UInt64(pages.count { $0.status.state != .unpopulated })
  }

  func isOver() throws(CheckpointError) -> Bool {
    try host.begin("isOver")
    return isEnded
  }

  func successor() throws(CheckpointError) -> (any LiveDomain)? {
    try host.begin("successor")
    return isEnded ? host.startAgain() : nil
  }
}

// MARK: - As memory

extension SimulatedGuest: DomainMemory {
  var guest: XenStream.GuestType { .pv }
  var limit: PFN { PFN(known.count) }

  func refresh(isStill: Bool) throws(CheckpointError) -> PFNBitmap {
    try begin("refresh")
    host.check(isStill == isSuspended, "refreshed as still: \(isStill)")
    var changed = PFNBitmap(limit: PFN(pages.count))
    for (pfn, page) in pages.enumerated() {
      let before = pfn < known.count ? known[pfn] : Page()
      if page.status != before.status || page.frame != before.frame { changed.insert(PFN(pfn)) }
    }
    known = pages
    try host.end()
    return changed
  }

  func status(_ pfn: PFN) -> PageStatus {
    pfn < known.count ? known[Int(pfn)].status : PageStatus(.unpopulated)
  }

  func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int) throws(CheckpointError)
    -> [Int]
  {
    try begin("copy")
    host.check(pfns.count <= buffer.pageCount - slot, "copied more pages than there is room for")
    host.check(Set(pfns).count == pfns.count, "copied a page twice")
    host.copied += pfns.count
    var failed: [Int] = []
    for (index, pfn) in zip(pfns.indices, pfns) {
      if index == pfns.startIndex + 128 { work() }
      host.check(status(pfn).state == .data, "copied a page without contents")
      let page = pages[Int(pfn)]
      if page.status.state != .data || !isSuspended && host.happens(host.habits.hidesPage) {
        failed.append(index)
      } else {
        Self.fill(buffer, slot + index - pfns.startIndex, page.seed)
      }
    }
    try host.end()
    return failed
  }

  private static func fill(_ buffer: PageBuffer, _ slot: Int, _ seed: UInt64) {
    let bytes = contents(seed)
    unsafe bytes.withUnsafeBytes { unsafe buffer.copy($0, to: slot) }
  }

  /// The words of a page: some that do not compress, then zeros.
  static func contents(_ seed: UInt64) -> [UInt64] {
    var words = [UInt64](repeating: 0, count: Limits.pageSize / 8)
    if seed != 0 { for place in 0..<16 { words[place] = seed &* UInt64(2 * place + 1) } }
    return words
  }

  func unloggedPages() throws(CheckpointError) -> [PFN] {
    try begin("unloggedPages")
    host.check(isSuspended, "asked for unlogged pages of a guest that runs")
    return unlogged.filter { status($0).state == .data }.sorted()
  }

  func grantedPages() throws(CheckpointError) -> [PFN] {
    try begin("grantedPages")
    host.check(isSuspended, "asked for granted pages of a guest that runs")
    return granted.sorted()
  }

  func processors() throws(CheckpointError) -> [MachineRecord] { [] }

  func staticRecords() throws(CheckpointError) -> [MachineRecord] {
    try begin("staticRecords")
    return [MachineRecord(.cpuidPolicy, [1, 2, 3, 4, 5, 6, 7, 8])]
  }

  func stickyRecords() throws(CheckpointError) -> [MachineRecord] {
    try begin("stickyRecords")
    return table.isEmpty ? [] : [MachineRecord(.pvP2MFrames, tableRecord)]
  }

  private var tableRecord: [UInt8] {
    var writer = WireWriter(capacity: 24)
    writer.write(UInt64(0))
    table.forEach { writer.write($0) }
    return writer.bytes
  }

  /// One that says which moment it is.
  func epochRecords() throws(CheckpointError) -> [MachineRecord] {
    try begin("epochRecords")
    host.check(isSuspended, "asked for the machine's state while the guest runs")
    let number = UInt8(truncatingIfNeeded: host.moments)
    return [MachineRecord(.tscInfo, [UInt8](repeating: number, count: 24))]
  }
}

// MARK: - As a dirty log

extension SimulatedGuest: DirtyLog {
  func clean(limit: PFN, isLast: Bool) throws(CheckpointError) -> DirtyReading {
    try begin("clean")
    host.check(isLast == isSuspended, "last reading: \(isLast)")
    host.check(!isLastReadingDone || !isSuspended, "read the log after the last reading")
    isLastReadingDone = isLast
    defer { written = [] }
    let reading = reading(limit)
    try host.end()
    return reading
  }

  func peek(limit: PFN) throws(CheckpointError) -> DirtyReading {
    try begin("peek")
    let reading = reading(limit)
    try host.end()
    return reading
  }

  private func reading(_ limit: PFN) -> DirtyReading {
    host.check(controls.last?.hasLog == true, "read a dirty log that is not ours")
    guard isLogOn else {
      startLog()
      return .lost
    }
    var pages = PFNBitmap(limit: limit)
    for pfn in written where pfn < limit { pages.insert(pfn) }
    return .pages(pages)
  }
}
#endif
