internal import CheckpointCodec
package import CheckpointImage
internal import Glibc
package import Storage

/// Images in folders of this machine: regular files there, not below.
package final class Folders: ImageFinder {
  /// The folders, in the order in which they are looked through.
  private let folders: [String]
  private let files = OpenFiles()
  private let cancellation: Cancellation
  /// What the files of all folders carry; nil until somebody asks.
  private var moments: [Digest: [String]]?

  package var places: String { folders.joined(separator: ", ") }

  /// The folder of a file, the one behind it if it is a symbolic link, and others.
  ///
  /// - Throws: `.io` if one of `searching` is no folder.
  package init(
    of path: String, searching: [String], cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) {
    var folders = [Self.folder(of: path)]
    if Self.isLink(path), let real = Self.realFolder(of: path) { folders.append(real) }
    for folder in searching where !folders.contains(folder) {
      guard Self.isFolder(folder) else {
        throw CheckpointError(.io, "no such folder", file: folder)
      }
      folders.append(folder)
    }
    self.folders = folders
    self.cancellation = cancellation
  }

  package func open(_ location: String) throws(CheckpointError) -> any RangeReader {
    try LocalFile(location, among: files, cancellation: cancellation)
  }

  package func images(named name: String) throws(CheckpointError) -> [String] {
    folders.map { Self.join($0, name) }.filter { unsafe access($0, F_OK) == 0 }
  }

  package func images(carrying moment: Digest) throws(CheckpointError) -> [String] {
    let known = if let moments { moments } else { try scan() }
    moments = known
    return known[moment] ?? []
  }

  private func scan() throws(CheckpointError) -> [Digest: [String]] {
    var bases: [Digest: [String]] = [:]
    var increments: [Digest: [String]] = [:]
    for folder in folders {
      for name in Self.names(in: folder) where !name.hasSuffix(".partial") {
        try cancellation.check()
        let path = Self.join(folder, name)
        guard let file = try? open(path), ImageTrailer.ofImage(in: file) != nil,
          let image = try? ImageFile(file, cancellation: cancellation)
        else { continue }
        if image.header.parent == nil {
          bases[image.root.checkpointID, default: []].append(path)
        } else {
          increments[image.root.checkpointID, default: []].append(path)
        }
      }
    }
    return bases.merging(increments) { $0 + $1 }
  }

  // MARK: Paths

  /// The folder in which a path names a file.
  package static func folder(of path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return parts.isEmpty ? "." : parts.joined(separator: "/") + "/"
  }

  /// Whether two paths lead to the same folder.
  package static func isSameFolder(_ a: String, _ b: String) -> Bool {
    StorageIdentity(path: a).map { $0 == StorageIdentity(path: b) } ?? false
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private static func isLink(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// The folder a path leads to, behind symbolic links.
  private static func realFolder(of path: String) -> String? {
    guard let real = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(real) }
    return folder(of: unsafe String(cString: real))
  }

  private static func join(_ folder: String, _ name: String) -> String {
    // A file of this name is not standard input.
    if folder == "." { return name == "-" ? "./-" : name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  private static func names(in folder: String) -> [String] {
    guard let directory = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      // SAFETY: the kernel ends the name with a NUL within these 256 bytes.
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      names.append(name)
    }
    return names.sorted()
  }
}
