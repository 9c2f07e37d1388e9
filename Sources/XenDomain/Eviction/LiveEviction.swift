#if Xen
internal import CheckpointCodec
internal import CheckpointImage
internal import GuestMemory
internal import Storage

/// Which pages of a running guest are left out of its images, by what the guest uses them for.
///
/// The guest may say anything, or nothing that is understood: then all pages are kept.
final class LiveEviction {
  /// Finds what a guest uses its pages for in its memory.
  typealias Finder = (BoundedMemory) throws(CheckpointError) -> any PageClassifier

  let policy: EvictionPolicy
  private let pages: any DomainPages
  private let memory: BoundedMemory
  private let find: Finder
  private var classes: (any PageClassifier)?
  /// Pages below were looked at.
  private var limit: PFN = 0
  /// Those of them that the policy leaves out, as the guest last said what they are.
  private var unwanted = PFNBitmap(limit: 0)
  /// The pages that are kept all the same.
  private var needed = PFNBitmap(limit: 0)
  /// Why all pages are kept.
  private var obstacle: CheckpointError?
  private var isObstacleReported = false

  init(
    _ policy: EvictionPolicy, _ pages: any DomainPages, _ cancellation: Cancellation,
    find: @escaping Finder
  ) {
    self.policy = policy
    self.pages = pages
    memory = BoundedMemory(pages, cancellation)
    self.find = find
  }

  /// Whether pages are left out.
  var isOn: Bool { classes != nil }

  /// What the image says of a page. Only ordinary pages with contents are left out: Xen checks page tables in a restore.
  func status(_ pfn: PFN) -> PageStatus {
    let status = pages.status(pfn)
    guard let classes, status == PageStatus(.data), unwanted.contains(pfn), !needed.contains(pfn)
    else { return status }
    let reason = policy.reason(classes[pfn])
    return reason == .none ? status : PageStatus(.evicted, reason: reason)
  }

  /// How many pages are left out, and why.
  var counts: [(reason: EvictionReason, pages: Int)] {
    var counts = [Int](repeating: 0, count: EvictionReason.allCases.count)
    for pfn in unwanted.members { counts[Int(status(pfn).reason.rawValue)] += 1 }
    return EvictionReason.allCases.dropFirst().map { ($0, counts[Int($0.rawValue)]) }
      .filter { $0.1 > 0 }
  }

  /// What the provenance says of it.
  var fields: [(key: String, value: String)] {
    guard policy != .none else { return [] }
    var fields = [(key: "evict.policy", value: "\(policy)")]
    if let obstacle { fields.append(("evict.obstacle", "\(obstacle)")) }
    guard let classes else { return fields }
    fields.append(("guest.release", classes.release))
    return fields + tally.fields
  }

  /// What is left out.
  var tally: EvictionTally {
    let counted = counts.map { ($0.reason, UInt64($0.pages)) }
    return EvictionTally(Dictionary(uniqueKeysWithValues: counted))
  }

  /// Whether all pages are kept because the guest was not understood.
  var isHindered: Bool { obstacle != nil }

  /// Why all pages are kept, the first time after that was found.
  func takeObstacle() -> CheckpointError? {
    guard !isObstacleReported, let obstacle else { return nil }
    isObstacleReported = true
    return obstacle
  }

  /// Finds the guest's kernel and reads all page descriptors. What was known before is forgotten.
  func begin() throws(CheckpointError) {
    guard policy != .none else { return }
    forget()
    obstacle = nil
    do throws(CheckpointError) {
      memory.allowReading()
      classes = try find(memory)
      lookAtNewPages()
    } catch {
      try giveUp(error)
    }
  }

  /// Reads again the page descriptors that were written to.
  ///
  /// - Parameters:
  ///   - written: pages written to since the last reading; nil if all may have been.
  ///   - needed: pages that must be kept; nil if they are not known yet.
  /// - Returns: every page that is left out now and was not, or the reverse, and some others.
  func update(written: PFNBitmap?, needed kept: PFNBitmap?) throws(CheckpointError) -> PFNBitmap {
    guard let classes else { return PFNBitmap(limit: 0) }
    var changed = PFNBitmap(limit: memory.limit)
    if let kept {
      changed.formUnion(needed.symmetricDifference(kept))
      needed = kept
    }
    do throws(CheckpointError) {
      memory.limitReading()
      for range in try classes.update(written: { written?.contains($0) ?? true }) {
        let pfns = range.clamped(to: 0..<limit)
        changed.insert(pfns)
        note(pfns)
      }
      lookAtNewPages()
    } catch {
      // Some classes may be new, and it is not known which: what was left out is kept from now on.
      changed.formUnion(unwanted)
      forget()
      try giveUp(error)
    }
    return changed
  }

  /// Pages appear behind the others; as they were not there, they are in no image.
  private func lookAtNewPages() {
    note(min(limit, memory.limit)..<memory.limit)
    limit = memory.limit
  }

  private func note(_ pfns: Range<PFN>) {
    guard let classes else { return }
    for pfn in pfns {
      if policy.reason(classes[pfn]) != .none { unwanted.insert(pfn) } else { unwanted.remove(pfn) }
    }
  }

  private func forget() {
    classes = nil
    limit = 0
    unwanted = PFNBitmap(limit: 0)
    needed = PFNBitmap(limit: 0)
  }

  private func giveUp(_ error: CheckpointError) throws(CheckpointError) {
    if error.kind == .interrupted { throw error }
    obstacle = error
  }
}
#endif
