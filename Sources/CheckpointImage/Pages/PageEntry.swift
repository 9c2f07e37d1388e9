/// One page as an index block describes it.
package struct PageEntry: Hashable, Sendable {
  /// State, type and reason.
  package var status: PageStatus
  /// SHA-256 of the contents; zero unless the state is data.
  package var digest: Digest
  /// Where the contents lie; meaningless unless the state is data.
  package var location: PageLocation

  /// An entry with contents.
  package init(type: PageType, digest: Digest, location: PageLocation) {
    status = PageStatus(.data, type: type)
    self.digest = digest
    self.location = location
  }

  /// An entry without contents.
  package init(_ status: PageStatus) {
    self.status = status
    digest = .zero
    location = .none
  }

  /// Whether two entries mean the same memory, wherever it is stored.
  package func sameMemory(as other: PageEntry) -> Bool {
    status == other.status && digest == other.digest
  }

  /// Whether two entries say the same, leaving out the digest: other segments than the index do not have it.
  package func agrees(with other: PageEntry) -> Bool {
    status == other.status && location == other.location
  }

  /// A page no image mentions.
  package static let unpopulated = PageEntry(PageStatus(.unpopulated))
}
