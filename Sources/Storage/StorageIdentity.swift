internal import Glibc

/// Identifies stored bytes whatever their names: two paths with the same identity lead to the same file.
public struct StorageIdentity: Hashable, Sendable {
  private let text: String

  /// An identity of a kind of storage; `text` begins with that kind.
  public init(_ text: String) { self.text = text }

  init(_ status: stat) { text = "file \(status.st_dev) \(status.st_ino)" }

  /// The identity of the file at `path`; nil if there is none.
  public init?(path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.init(status)
  }
}
