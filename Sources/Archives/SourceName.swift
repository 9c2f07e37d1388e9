internal import Glibc

/// What a user names as a source: a file, or `FILE:MEMBER`, a member of an archive.
struct SourceName {
  /// The file; `-` is standard input.
  let file: String
  /// The member's path in the archive.
  let member: String?

  /// A file of the whole name wins; else the file is the longest beginning before a colon that there is.
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
