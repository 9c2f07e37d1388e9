#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Storage

/// The memory and machine state of a guest whose page tables Xen does not see: HVM and PVH. Frame numbers are
/// the guest's own.
final class HVMMemory: DomainMemory {
  let guest = XenStream.GuestType.hvm
  private(set) var limit: PFN = 0

  private let domain: UInt32
  private let hypervisor: Hypervisor
  private let cancellation: Cancellation
  private var populated = PFNBitmap(limit: 0)
  private var broken: Set<PFN> = []
  /// Pages the hypervisor counts that have no frame number, as found when the guest did not run.
  private var hidden: UInt64 = 0

  /// Frame numbers asked for in one call.
  private static let chunk: PFN = 1024

  /// The memory of a running domain.
  init(_ domain: UInt32, _ hypervisor: Hypervisor, _ cancellation: Cancellation) {
    self.domain = domain
    self.hypervisor = hypervisor
    self.cancellation = cancellation
  }

  func refresh(isStill: Bool) throws(CheckpointError) -> PFNBitmap {
    var changed = PFNBitmap(limit: limit)
    let isFirst = limit == 0
    try readLimit()
    if isFirst {
      try scan(changed: &changed) { _ in true }
    } else {
      // Most of the frame numbers belong to no page, and asking for all of them takes long. If the pages where
      // some were known are as many as the hypervisor counts, there are none elsewhere.
      try scan(changed: &changed) { isKnown(chunk: $0) }
    }
    guard try !isComplete() else { return changed }
    if !isFirst || isStill { try scan(changed: &changed) { _ in true } }
    if isStill { hidden = try pageCount() &- UInt64(populated.count) }
    return changed
  }

  func status(_ pfn: PFN) -> PageStatus {
    if broken.contains(pfn) { return PageStatus(.broken) }
    return PageStatus(populated.contains(pfn) ? .data : .unpopulated)
  }

  func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int) throws(CheckpointError)
    -> [Int]
  {
    try ForeignPages(pfns.map { xen_pfn_t($0) }, of: domain, hypervisor)
      .copy(to: buffer, at: slot).map { pfns.startIndex + $0 }
  }

  func unloggedPages() throws(CheckpointError) -> [PFN] {
    try
      (HVMState.specialPages(domain, hypervisor) + GrantedFrames.read(domain, hypervisor, .writable))
      .filter { populated.contains($0) }
  }

  func grantedPages() throws(CheckpointError) -> [PFN] {
    try GrantedFrames.read(domain, hypervisor, .all).filter { populated.contains($0) }
  }

  func processors() throws(CheckpointError) -> [MachineRecord] {
    [try HVMState.context(domain, hypervisor)]
  }

  func staticRecords() throws(CheckpointError) -> [MachineRecord] {
    try CPUPolicy.records(domain, hypervisor)
  }

  func stickyRecords() throws(CheckpointError) -> [MachineRecord] { [] }

  func epochRecords() throws(CheckpointError) -> [MachineRecord] {
    [
      try TimeStampCounter.record(domain, hypervisor),
      try HVMState.context(domain, hypervisor),
      try HVMState.parameters(domain, hypervisor),
    ]
  }

  private func readLimit() throws(CheckpointError) {
    var highest: xen_pfn_t = 0
    guard unsafe xc_domain_maximum_gpfn(hypervisor.control, domain, &highest) >= 0 else {
      throw hypervisor.failure("find the end of memory", domain)
    }
    // The guest may put a page at any number; a table of all of them must stay in proportion.
    let most = max(1 << 24, try pageCount() &* 64)
    guard highest < most else {
      throw CheckpointError(
        .unsupported,
        "the guest has a page at PFN \(highest), expected at most \(most): its memory is too scattered",
        file: "domain \(domain)")
    }
    limit = max(limit, PFN(highest) + 1)
  }

  private func pageCount() throws(CheckpointError) -> UInt64 {
    guard let state = try hypervisor.domain(domain) else { throw .gone(domain) }
    return state.pages
  }

  private func isComplete() throws(CheckpointError) -> Bool {
    UInt64(populated.count) &+ hidden == (try pageCount())
  }

  private func isKnown(chunk: PFN) -> Bool {
    let words = populated.words
    let first = Int(chunk * Self.chunk / 64)
    let last = min(words.count, first + Int(Self.chunk / 64))
    return first < last && words[first..<last].contains { $0 != 0 }
  }

  /// Asks which frame numbers of some chunks have a page.
  private func scan(changed: inout PFNBitmap, where isWanted: (PFN) -> Bool)
    throws(CheckpointError)
  {
    var frames = [xen_pfn_t](repeating: 0, count: Int(Self.chunk))
    for chunk in 0...(limit - 1) / Self.chunk where isWanted(chunk) {
      try cancellation.check()
      let first = chunk * Self.chunk
      let count = Int(min(Self.chunk, limit - first))
      for index in 0..<count { frames[index] = xen_pfn_t(first) + xen_pfn_t(index) }
      guard
        unsafe xc_get_pfn_type_batch(hypervisor.control, domain, UInt32(count), &frames) == 0
      else { throw hypervisor.failure("read page types", domain) }
      for index in 0..<count { note(first + PFN(index), type: frames[index] >> 28 & 15, &changed) }
    }
  }

  private func note(_ pfn: PFN, type: xen_pfn_t, _ changed: inout PFNBitmap) {
    let isBroken = type == xen_pfn_t(XenStream.typeBroken)
    let isPopulated = type == 0
    if isPopulated != populated.contains(pfn) {
      if isPopulated { populated.insert(pfn) } else { populated.remove(pfn) }
      changed.insert(pfn)
    }
    if isBroken != broken.contains(pfn) {
      if isBroken { broken.insert(pfn) } else { broken.remove(pfn) }
      changed.insert(pfn)
    }
  }
}
#endif
