#if Xen
/// One run of a domain: after a reboot its UUID is the same and its number another.
package struct DomainIdentity: Hashable, Sendable {
  package let id: UInt32
  package let uuid: DomainUUID

  package init(id: UInt32, uuid: DomainUUID) {
    self.id = id
    self.uuid = uuid
  }
}
#endif
