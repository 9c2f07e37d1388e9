internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
import Storage

/// A folder for one test's files, removed with them.
package final class TestFolder {
  private let folder: String

  package init() throws {
    var template = Array("/tmp/vmckpt-test.XXXXXX".utf8CString)
    let made = unsafe mkdtemp(&template)
    guard unsafe made != nil else { throw CheckpointError(.io, "mkdtemp") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in names { remove(name) }
    unsafe rmdir(folder)
  }

  package func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// The names of all files in it.
  package var names: [String] {
    guard let directory = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  package func rename(_ from: String, _ to: String) {
    unsafe Glibc.rename(path(from), path(to))
  }

  package func remove(_ name: String) { unsafe unlink(path(name)) }

  package func bytes(_ name: String) throws -> [UInt8] {
    let file = try LocalFile(path(name))
    return try file.bytes(at: 0, count: Int(file.length))
  }

  package func write(_ bytes: [UInt8], as name: String) throws {
    let output = try OutputFile(path(name), force: true, sync: false)
    try output.write(bytes)
    try output.commit()
  }
}
