#if Xen
internal import CXen
package import CheckpointImage

/// A running domain that a user named.
package struct DomainReference: Sendable {
  /// Its number, which a reboot changes.
  package let id: UInt32
  /// Its UUID, which it keeps.
  package let uuid: DomainUUID
  /// Its name.
  package let name: String

  /// This run of the domain, as opposed to those before and after a reboot.
  var identity: DomainIdentity { DomainIdentity(id: id, uuid: uuid) }

  init(id: UInt32, uuid: DomainUUID, name: String) {
    self.id = id
    self.uuid = uuid
    self.name = name
  }

  /// Finds a domain by name, number or UUID.
  package init(_ text: String, _ hypervisor: Hypervisor, _ toolstack: Toolstack)
    throws(CheckpointError)
  {
    let wanted = DomainUUID(text)
    let found =
      if let wanted { try hypervisor.domain(of: wanted) } else {
        toolstack.domain(named: text) ?? UInt32(text)
      }
    guard let found, found < vmckpt_first_reserved_domid, let state = try hypervisor.domain(found)
    else {
      throw CheckpointError(
        .refused, "there is no domain of that name, number or UUID ('xl list' shows what runs)",
        file: "xen:\(text)")
    }
    guard found != 0 else {
      throw CheckpointError(
        .refused, "domain 0 is the one this program runs in: it cannot capture itself",
        file: "xen:\(text)")
    }
    self.init(
      id: found, uuid: state.uuid, name: toolstack.name(of: found) ?? "\(found)")
  }
}

extension Hypervisor {
  /// The number of the domain of that UUID that is not being destroyed; nil if there is none.
  func domain(of uuid: DomainUUID) throws(CheckpointError) -> UInt32? {
    var next: UInt32 = 1
    while let state = try firstDomain(from: next) {
      if state.uuid == uuid && !state.isDying { return state.id }
      next = state.id + 1
    }
    return nil
  }

  private func firstDomain(from id: UInt32) throws(CheckpointError) -> DomainState? {
    var info = vmckpt_domain()
    let code = unsafe vmckpt_next_domain(control, id, &info)
    guard code >= 0 else { throw failure("list the domains") }
    return code == 0 ? nil : DomainState(info)
  }
}
#endif
