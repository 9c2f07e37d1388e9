#if Xen
package import CheckpointImage

/// Puts right what a capture left behind that was killed together with its guard.
package enum Recovery {
  /// What became of one domain.
  package struct Outcome: Sendable, CustomStringConvertible {
    /// The domain's UUID.
    package let uuid: DomainUUID
    /// What was found and undone, in words; nil if a running capture has the domain in its care.
    package let undone: String?

    /// One line for people.
    package var description: String {
      "domain \(uuid): " + (undone ?? "is being captured; nothing was done")
    }
  }

  /// Undoes what is on record of the domain of a name, number or UUID, or of all; as `run(_:)`.
  package static func run(name: String?) throws(CheckpointError) -> [Outcome] {
    guard let name else { return try run(nil) }
    // A UUID will do where the domain has gone.
    if let uuid = DomainUUID(name) { return try run(uuid) }
    return try run(DomainReference(name, Hypervisor(), Toolstack()).uuid)
  }

  /// Undoes what is on record of one domain, or of all. The result has nothing for domains of which nothing
  /// was to be undone. Errors: something could not be undone; it stays on record.
  package static func run(_ domain: DomainUUID?) throws(CheckpointError) -> [Outcome] {
    var outcomes: [Outcome] = []
    var failure: CheckpointError?
    for uuid in domain.map({ [$0] }) ?? Journal.all() {
      do throws(CheckpointError) {
        guard let journal = try Journal(uuid) else {
          outcomes.append(Outcome(uuid: uuid, undone: nil))
          continue
        }
        if let outcome = try putRight(journal) { outcomes.append(outcome) }
        journal.remove()
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return outcomes
  }

  /// Undoes what a journal says; nil if that is nothing.
  static func putRight(_ journal: Journal) throws(CheckpointError) -> Outcome? {
    let found = journal.outstanding
    guard let id = journal.id, !found.isEmpty else { return nil }
    let actions = try DomainActions(DomainIdentity(id: id, uuid: journal.uuid), journal: journal)
    let isThere = try actions.state() != nil
    try actions.undo(waiting: 60, isFinal: true)
    try MonitorCare(actions).finish()
    let names = found.names.joined(separator: ", ")
    return Outcome(
      uuid: journal.uuid,
      undone: isThere
        ? "an earlier capture was killed; what it had left was undone: \(names)"
        : "an earlier capture was killed, and the domain has gone since")
  }
}
#endif
