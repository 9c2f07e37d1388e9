#if Xen
/// One run of a domain: after a reboot its UUID is the same and its number another.
struct DomainIdentity: Hashable, Sendable {
  let id: UInt32
  let uuid: DomainUUID
}
#endif
