#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Storage

/// The memory and machine state of a PV domain as the hypervisor knows them: each machine frame that the domain owns
/// is there, whatever its P2M says.
final class OwnedMemory: ObservedMemory {
  let guest = XenStream.GuestType.pv
  var limit: PFN { PFN(types.count) }

  private let domain: UInt32
  private let hypervisor: Hypervisor
  private let cancellation: Cancellation
  private let layout: PVLayout
  private let machineToPhysical: MachineToPhysical
  private var state: DomainState
  private var isStill = false
  private var owned = OwnedFrames()
  private var placement = FramePlacement()
  /// The type of each PFN, as in PAGE_DATA.
  private var types: [UInt8] = []
  /// Why the P2M could not be compared.
  private var problem: CheckpointError?
  /// The CR3 of each vCPU as the processor has it.
  private var tables: [(vcpu: UInt32, cr3: UInt64)] = []

  /// The memory of a PV domain.
  init(_ domain: UInt32, _ hypervisor: Hypervisor, _ cancellation: Cancellation)
    throws(CheckpointError)
  {
    self.domain = domain
    self.hypervisor = hypervisor
    self.cancellation = cancellation
    guard let state = try hypervisor.domain(domain) else { throw .gone(domain) }
    self.state = state
    layout = try PVLayout(domain, hypervisor)
    machineToPhysical = try MachineToPhysical(hypervisor)
  }

  func refresh(isStill: Bool) throws(CheckpointError) -> PFNBitmap {
    guard let state = try hypervisor.domain(domain) else { throw .gone(domain) }
    self.state = state
    self.isStill = isStill
    let table = table()
    owned = try findOwned(table ?? [])
    let new = FramePlacement(
      owned.frames, claims: owned.frames.map { machineToPhysical[$0] },
      limit: P2MTable.limit(state), table: table)
    var newTypes = [UInt8](repeating: XenStream.typeNone, count: new.frames.count)
    for (frame, type) in zip(owned.frames, owned.types) {
      if let pfn = new.pfn(of: frame) { newTypes[Int(pfn)] = type }
    }
    defer {
      placement = new
      types = newTypes
    }
    return changes(new.frames, newTypes)
  }

  /// All frames that the domain owns. A host has many others, and Xen may write a line to its log for each that is
  /// asked for, if its log level is the highest. So all are asked for only if the likely ones are not all.
  private func findOwned(_ table: [UInt64]) throws(CheckpointError) -> OwnedFrames {
    func found(among frames: some RandomAccessCollection<UInt64>) throws(CheckpointError)
      -> OwnedFrames?
    {
      let found = try OwnedFrames(among: frames, domain, hypervisor, cancellation)
      return found.frames.count == state.pages ? found : nil
    }
    if let found = try found(among: owned.frames) { return found }
    let listed = Set(table).union(owned.frames).filter { $0 < machineToPhysical.count }.sorted()
    if let found = try found(among: listed) { return found }
    return try OwnedFrames(
      among: 0..<machineToPhysical.count, domain, hypervisor, cancellation)
  }

  /// The P2M; nil if what the guest says of it cannot be followed.
  private func table() -> [UInt64]? {
    do throws(CheckpointError) {
      problem = nil
      return try P2MTable(of: state, layout, machineToPhysical, hypervisor).frames
    } catch {
      problem = error
      return nil
    }
  }

  private func changes(_ newFrames: [UInt64], _ newTypes: [UInt8]) -> PFNBitmap {
    var changed = PFNBitmap(limit: PFN(max(types.count, newTypes.count)))
    for pfn in 0..<max(types.count, newTypes.count) {
      let isOld = pfn < types.count
      let isNew = pfn < newTypes.count
      let old = isOld ? (placement.frames[pfn], types[pfn]) : (P2MTable.none, XenStream.typeNone)
      let new = isNew ? (newFrames[pfn], newTypes[pfn]) : (P2MTable.none, XenStream.typeNone)
      if old != new { changed.insert(PFN(pfn)) }
    }
    return changed
  }

  func status(_ pfn: PFN) -> PageStatus {
    guard pfn < limit else { return PageStatus(.unpopulated) }
    switch types[Int(pfn)] {
    case XenStream.typeNone: return PageStatus(.unpopulated)
    case XenStream.typeBroken: return PageStatus(.broken)
    case XenStream.typeAllocateOnly: return PageStatus(.allocateOnly)
    case let type: return PageStatus(.data, type: type)
    }
  }

  func copy(
    _ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int
  ) throws(CheckpointError) -> [Int] {
    let frames = pfns.map { placement.frames[Int($0)] }
    let missing = try ForeignPages(frames.map { xen_pfn_t($0) }, of: domain, hypervisor)
      .copy(to: buffer, at: slot)
    if !isStill {
      // A running guest makes page tables of pages, and pages of page tables.
      let now = try OwnedFrames.types(frames, domain, hypervisor)
      for (pfn, type) in zip(pfns, now) where type < XenStream.typeBroken { types[Int(pfn)] = type }
    }
    var entries: [UInt64] = []
    for (place, pfn) in pfns.enumerated() where !missing.contains(place) {
      guard let level = PageTable.level(of: types[Int(pfn)]) else { continue }
      entries.removeAll(keepingCapacity: true)
      buffer.page(slot + place).appendWords(to: &entries)
      PageTable(level: level, guestLevels: layout.levels)
        .translate(&entries, marking: PageTable.foreignMark) { placement.pfn(of: $0) }
      // SAFETY: words are bytes without gaps, and are copied.
      unsafe entries.withUnsafeBytes { unsafe buffer.copy($0, to: slot + place) }
    }
    return missing.map { pfns.startIndex + $0 }
  }

  func machineState() throws(CheckpointError) -> [MachineRecord] {
    tables = []
    var records = [layout.record, try TimeStampCounter.record(domain, hypervisor)]
    if let page = try SharedInfoPage.record(state, hypervisor) { records.append(page) }
    for number in 0...state.lastVCPU {
      let vcpu = PVVCPU(
        number: number, domain: domain, hypervisor: hypervisor, layout: layout, hasSuspended: false)
      let found = try vcpu.records { (frame, _) throws(CheckpointError) in
        placement.pfn(of: frame) ?? PageTable.foreignMark | frame
      }
      if !found.isEmpty { tables.append((number, try vcpu.machineCR3())) }
      records += found
    }
    return records
  }

  var findings: [(key: String, value: String)] {
    var findings = [
      ("pv.cr3", tables.map { "\($0.vcpu):\(Hexadecimal.string($0.cr3))" }.joined(separator: " ")),
      ("pv.unlisted", "\(placement.unlisted.count)"),
    ]
    if !placement.unlisted.isEmpty {
      findings.append(("pv.unlisted.frames", UnlistedFrames.text(placement.unlisted)))
    }
    if let problem { findings.append(("pv.p2m", "not readable: \(problem)")) }
    return findings
  }
}
#endif
