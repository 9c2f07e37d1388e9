public import CheckpointCodec
public import CheckpointImage
internal import Glibc

/// Finds the ancestors of an image by their checkpoint IDs; file names are only where to look first.
public struct ChainResolver {
  private let folders: [String]
  private var moments: [Digest: [Candidate]]?

  private struct Candidate {
    var path: String
    var isBase: Bool
  }

  private init(_ folders: [String]) { self.folders = folders }

  /// Opens the chain whose tip is at `path`; `-` is standard input.
  ///
  /// - Parameter searching: folders to look for ancestors in, after the tip's own.
  public static func open(_ path: String, searching: [String] = []) throws(CheckpointError) -> Chain
  {
    try Chain(images(path, searching: searching))
  }

  /// The images of the chain whose tip is at `path`, tip first.
  public static func images(_ path: String, searching: [String] = []) throws(CheckpointError)
    -> [ImageFile]
  {
    let found = try images(of: ImageFile(path), at: path, searching: searching)
    if let obstacle = found.obstacle { throw obstacle }
    return found.images
  }

  /// The images of the chain whose tip is open, as far as they are found, and what keeps it from being
  /// complete.
  public static func images(of tip: ImageFile, at path: String, searching: [String])
    throws(CheckpointError) -> (images: [ImageFile], obstacle: CheckpointError?)
  {
    for folder in searching where !names(in: folder).contains(".") {
      throw CheckpointError(.io, "no such folder", file: folder)
    }
    var folders = [folder(of: path)] + searching
    if isLink(path), let real = realFolder(of: path) { folders.insert(real, at: 1) }
    var resolver = ChainResolver(folders)
    let found = resolver.resolve(tip, byName: true)
    guard found.obstacle?.kind == .missingParent else { return found }
    // A named parent may have lost its own ancestors to a merge whose result carries its moment.
    return resolver.resolve(tip, byName: false)
  }

  private static func isLink(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  private static func exists(_ path: String) -> Bool {
    unsafe access(path, F_OK) == 0
  }

  /// The folder a path leads to, behind symbolic links.
  private static func realFolder(of path: String) -> String? {
    guard let real = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(real) }
    return folder(of: unsafe String(cString: real))
  }

  /// The folder in which a path names a file.
  public static func folder(of path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return parts.isEmpty ? "." : parts.joined(separator: "/") + "/"
  }

  private mutating func resolve(_ tip: ImageFile, byName: Bool)
    -> (images: [ImageFile], obstacle: CheckpointError?)
  {
    var images = [tip]
    var seen: Set<Digest> = [tip.trailer.fileID]
    do throws(CheckpointError) {
      while let parent = try parent(of: images[images.count - 1], byName: byName) {
        guard seen.insert(parent.trailer.fileID).inserted else {
          throw CheckpointError(
            .damaged, "the chain comes back to \(parent.name)", structure: "header",
            offset: 0, file: images[images.count - 1].name)
        }
        images.append(parent)
        guard images.count <= Limits.maximumChain else {
          throw CheckpointError(
            .refused, "the chain has more than \(Limits.maximumChain) images", file: tip.name)
        }
      }
      return (images, nil)
    } catch {
      return (images, error)
    }
  }

  private mutating func parent(of child: ImageFile, byName: Bool) throws(CheckpointError)
    -> ImageFile?
  {
    guard let id = child.header.parent else { return nil }
    let parent = try find(id, of: child, byName: byName)
    guard parent.header.architecture == child.header.architecture,
      parent.header.addressSpace == child.header.addressSpace
    else {
      throw CheckpointError(
        .mismatch, "its parent \(parent.name) is of another kind of guest", file: child.name)
    }
    return parent
  }

  private mutating func find(_ id: Digest, of child: ImageFile, byName: Bool)
    throws(CheckpointError) -> ImageFile
  {
    let name = child.header.parentName
    // A hint that leads out of the folders is no hint.
    if byName, !name.isEmpty, !name.contains("/") {
      for folder in folders {
        let path = Self.join(folder, name)
        if ImageFile.trailer(of: path)?.checkpointID == id { return try ImageFile(path) }
      }
    }
    for candidate in candidates(id) {
      return try ImageFile(candidate.path)
    }
    // A file of the parent's name that cannot be read is more likely the parent than not.
    if !name.isEmpty, let file = folders.lazy.map({ Self.join($0, name) }).first(where: Self.exists)
    {
      _ = try ImageFile(file)
    }
    throw CheckpointError(
      .missingParent,
      "its parent, checkpoint \(id)" + (name.isEmpty ? "" : " (was \(name))")
        + ", is not in \(folders.joined(separator: ", ")); --search adds folders",
      file: child.name)
  }

  /// The files that carry a moment, bases first: they need no others.
  private mutating func candidates(_ id: Digest) -> [Candidate] {
    let known = moments ?? scan()
    moments = known
    return (known[id] ?? []).sorted { ($0.isBase ? 0 : 1, $0.path) < ($1.isBase ? 0 : 1, $1.path) }
  }

  private func scan() -> [Digest: [Candidate]] {
    var found: [Digest: [Candidate]] = [:]
    for folder in folders {
      for name in Self.names(in: folder) where !name.hasSuffix(".partial") {
        let path = Self.join(folder, name)
        guard ImageFile.trailer(of: path) != nil, let image = try? ImageFile(path) else { continue }
        found[image.root.checkpointID, default: []].append(
          Candidate(path: path, isBase: image.header.parent == nil))
      }
    }
    return found
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
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      names.append(name)
    }
    return names.sorted()
  }
}
