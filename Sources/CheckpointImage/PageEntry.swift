/// One page as an index block describes it.
public struct PageEntry: Hashable, Sendable {
  /// State, type and reason.
  public var status: PageStatus
  /// SHA-256 of the contents; zero unless the state is data.
  public var digest: Digest
  /// Where the contents lie; meaningless unless the state is data.
  public var location: PageLocation

  /// An entry with contents.
  public init(type: PageType, digest: Digest, location: PageLocation) {
    status = PageStatus(.data, type: type)
    self.digest = digest
    self.location = location
  }

  /// An entry without contents.
  public init(_ status: PageStatus) {
    self.status = status
    digest = .zero
    location = .none
  }

  /// Whether two entries mean the same memory, wherever it is stored.
  public func sameMemory(as other: PageEntry) -> Bool {
    status == other.status && digest == other.digest
  }

  /// A page no image mentions.
  public static let unpopulated = PageEntry(PageStatus(.unpopulated))
}
