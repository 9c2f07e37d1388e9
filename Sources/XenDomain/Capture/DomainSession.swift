#if Xen
internal import CheckpointImage
internal import Formats

/// A domain that a guard takes care of, and how far its capture is.
final class DomainSession {
  let domain: any LiveDomain
  /// Pages that still have to be copied.
  let pending: PendingPages
  /// Pages that are left out.
  let eviction: LiveEviction
  /// Copies them.
  var copier: PageCopier
  /// What changes the guest's state; another after a failure.
  private(set) var control: any DomainControl
  private let report: (LiveEvent) -> Void

  /// Takes a domain in its care; refused while another process captures it.
  init(
    _ domain: any LiveDomain, _ options: LiveOptions, report: @escaping (LiveEvent) -> Void
  ) throws(CheckpointError) {
    self.domain = domain
    self.report = report
    control = try Self.guarding(domain, report)
    copier = PageCopier(domain.memory)
    eviction = LiveEviction(options.eviction, domain.memory, options.cancellation) {
      (memory) throws(CheckpointError) in try domain.classifier(in: memory)
    }
    pending = PendingPages(domain.memory, eviction)
  }

  private static func guarding(_ domain: any LiveDomain, _ report: (LiveEvent) -> Void)
    throws(CheckpointError) -> any DomainControl
  {
    let (control, recovered) = try domain.guarded()
    for line in recovered { report(.recovered(line)) }
    return control
  }

  /// Whose moments these are.
  var facts: MomentFacts {
    var facts = MomentFacts()
    facts.guestID = "\(domain.reference.uuid)"
    facts.guestType = domain.memory.guest == .pv ? .pv : .hvm
    return facts
  }

  /// What else is known of the domain.
  var fields: [(key: String, value: String)] {
    [("domain.name", domain.reference.name), ("hypervisor", "Xen \(domain.version)")]
  }

  /// Whether the dirty log is on.
  var hasLog: Bool { pending.log != nil }

  /// Switches the dirty log on; false if the hypervisor has none for this guest.
  func startLog() throws(CheckpointError) -> Bool {
    pending.log = try control.startDirtyLog() ? domain.log : nil
    return hasLog
  }

  /// Takes the domain in its care again after `close`, as it was before.
  func takeCareAgain() throws(CheckpointError) {
    control = try Self.guarding(domain, report)
    if hasLog { _ = try startLog() }
  }

  /// Lets the guest go on as it was, whatever was being done to it.
  func close() {
    do throws(CheckpointError) { try control.close() } catch { report(.notUndone(error)) }
  }
}
#endif
