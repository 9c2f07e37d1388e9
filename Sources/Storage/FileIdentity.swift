internal import Glibc

/// What tells a file from all others, whatever its names: two paths with the same identity lead to one file.
package struct FileIdentity: Hashable, Sendable {
  private let device: UInt
  private let inode: UInt

  init(_ status: stat) {
    device = status.st_dev
    inode = status.st_ino
  }

  /// The identity of the file that `path` leads to; nil if there is none.
  package init?(path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.init(status)
  }
}
