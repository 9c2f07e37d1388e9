internal import Glibc

/// The name of a source: a file, or `FILE:MEMBER` for a member of an archive.
struct SourceName {
  /// The file; `-` is standard input.
  let file: String
  /// The member's path in the archive; nil if none is named.
  let member: String?

  /// Parses a name. A file with the whole name takes precedence; else the file is the longest prefix before a
  /// colon that exists.
  init(_ name: String) {
    var file = name[...]
    while !Self.exists(file), let colon = file.lastIndex(of: ":") { file = file[..<colon] }
    let isMember = file.endIndex < name.endIndex && Self.exists(file)
    self.file = isMember ? String(file) : name
    member = isMember ? String(name[file.endIndex...].dropFirst()) : nil
  }

  private static func exists(_ path: Substring) -> Bool {
    unsafe access(String(path), F_OK) == 0
  }
}
