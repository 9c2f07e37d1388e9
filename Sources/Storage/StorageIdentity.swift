internal import Glibc

/// What tells stored bytes from all others, whatever their names: two paths with the same identity lead to one file.
public struct StorageIdentity: Hashable, Sendable {
  private let text: String

  /// The identity that a kind of storage gives; `text` begins with that kind.
  public init(_ text: String) { self.text = text }

  init(_ status: stat) { text = "file \(status.st_dev) \(status.st_ino)" }

  /// The identity of the file that `path` leads to; nil if there is none.
  public init?(path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.init(status)
  }
}
