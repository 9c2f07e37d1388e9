package import CheckpointCodec
package import CheckpointImage
internal import Glibc
internal import Storage

/// Finds the ancestors of an image by their checkpoint IDs; file names are only where to look first.
package struct ChainResolver {
  /// An image on the way from the tip to a base, and the files that may be its parent.
  private struct Step {
    var image: ImageFile
    var candidates: [String] = []
    var next = 0
    var scanned = false
    /// Why the file that has the parent's name is not the parent.
    var failure: CheckpointError?
  }

  private let folders: [String]
  /// Images that are open already: a moment that one of them carries is not looked for elsewhere.
  private let known: [Digest: ImageFile]
  private var moments: [Digest: [String]]?
  /// Moments whose every file was tried.
  private var exhausted: Set<Digest> = []

  private init(_ folders: [String], knowing images: [ImageFile]) {
    self.folders = folders
    known = Dictionary(images.map { ($0.root.checkpointID, $0) }) { first, _ in first }
  }

  /// Opens the chain whose tip is at `path`; `-` is standard input.
  ///
  /// - Parameters:
  ///   - searching: folders to look for ancestors in, after the tip's own.
  ///   - known: images of another chain, which are not opened again where they belong to this one too.
  package static func open(
    _ path: String, searching: [String] = [], knowing known: [ImageFile] = []
  ) throws(CheckpointError) -> Chain {
    let file = path == "-" ? nil : FileIdentity(path: path)
    let tip: ImageFile
    if let open = known.first(where: { $0.file.identity == file }) {
      tip = open
    } else {
      tip = try ImageFile(path)
    }
    let found = try images(of: tip, at: path, searching: searching, knowing: known)
    if let obstacle = found.obstacle { throw obstacle }
    return try Chain(found.images)
  }

  /// The images of the chain whose tip is at `path`, tip first.
  package static func images(_ path: String, searching: [String] = []) throws(CheckpointError)
    -> [ImageFile]
  {
    let found = try images(of: ImageFile(path), at: path, searching: searching)
    if let obstacle = found.obstacle { throw obstacle }
    return found.images
  }

  /// The images of the chain whose tip is open, as far as they are found, and what keeps it from being
  /// complete.
  package static func images(
    of tip: ImageFile, at path: String, searching: [String], knowing known: [ImageFile] = []
  ) throws(CheckpointError) -> (images: [ImageFile], obstacle: CheckpointError?) {
    var folders = [folder(of: path)]
    if isLink(path), let real = realFolder(of: path) { folders.append(real) }
    for folder in searching where !folders.contains(folder) {
      guard isFolder(folder) else {
        throw CheckpointError(.io, "no such folder", file: folder)
      }
      folders.append(folder)
    }
    var resolver = ChainResolver(folders, knowing: known)
    return try resolver.resolve(tip)
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether two paths lead to the same folder.
  package static func isSameFolder(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    return unsafe stat(a, &first) == 0 && stat(b, &second) == 0
      && first.st_dev == second.st_dev && first.st_ino == second.st_ino
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
  package static func folder(of path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return parts.isEmpty ? "." : parts.joined(separator: "/") + "/"
  }

  /// Goes from parent to parent, and back where one turns out to have lost its own: another file may carry
  /// the same moment. Each file is tried once.
  private mutating func resolve(_ tip: ImageFile) throws(CheckpointError)
    -> (images: [ImageFile], obstacle: CheckpointError?)
  {
    var steps = [Step(image: tip)]
    var tried: Set<Digest> = [tip.trailer.fileID]
    var onPath = tried
    var first: (images: [ImageFile], obstacle: CheckpointError?)?
    while let step = steps.last, step.image.header.parent != nil {
      try Interruption.check()
      if let parent = nextParent(of: &steps[steps.count - 1], tried, onPath) {
        tried.insert(parent.trailer.fileID)
        onPath.insert(parent.trailer.fileID)
        steps.append(Step(image: parent))
        guard steps.count <= Limits.maximumChain else {
          throw CheckpointError(
            .refused, "the chain has more than \(Limits.maximumChain) images", file: tip.name)
        }
      } else {
        let obstacle = steps[steps.count - 1].failure ?? missingParent(of: step.image)
        first = first ?? (steps.map(\.image), obstacle)
        steps.removeLast()
        onPath.remove(step.image.trailer.fileID)
      }
    }
    return steps.isEmpty ? first ?? ([tip], nil) : (steps.map(\.image), nil)
  }

  /// The next file that may be the parent: first the one of the remembered name, then others.
  private mutating func nextParent(of step: inout Step, _ tried: Set<Digest>, _ onPath: Set<Digest>)
    -> ImageFile?
  {
    let header = step.image.header
    guard let id = header.parent, !exhausted.contains(id) else { return nil }
    if let image = known[id], !tried.contains(image.trailer.fileID),
      (try? Self.check(image, as: step.image)) != nil
    {
      return image
    }
    if step.next == 0, !step.scanned, !header.parentName.isEmpty {
      step.candidates = folders.map { Self.join($0, header.parentName) }.filter(Self.exists)
    }
    while true {
      if step.next == step.candidates.count {
        guard !step.scanned else {
          exhausted.insert(id)
          return nil
        }
        step.scanned = true
        step.candidates = candidates(id)
        step.next = 0
        continue
      }
      step.next += 1
      do throws(CheckpointError) {
        let image = try ImageFile(step.candidates[step.next - 1])
        guard image.root.checkpointID == id else { continue }
        guard !onPath.contains(image.trailer.fileID) else {
          throw CheckpointError(
            .damaged, "the chain comes back to \(image.name)", structure: "header", offset: 0,
            file: step.image.name)
        }
        try Self.check(image, as: step.image)
        if !tried.contains(image.trailer.fileID) { return image }
      } catch {
        // A file of the parent's name that cannot be read is more likely the parent than not.
        step.failure = step.failure ?? error
      }
    }
  }

  private static func check(_ parent: ImageFile, as child: ImageFile) throws(CheckpointError) {
    guard parent.header.architecture == child.header.architecture,
      parent.header.addressSpace == child.header.addressSpace
    else {
      throw CheckpointError(
        .mismatch, "its parent \(parent.name) is of another kind of guest", file: child.name)
    }
  }

  private func missingParent(of child: ImageFile) -> CheckpointError {
    let name = child.header.parentName
    let id = child.header.parent.map { "\($0)" } ?? ""
    return CheckpointError(
      .missingParent,
      "its parent, checkpoint \(id)" + (name.isEmpty ? "" : " (was \(name))")
        + ", is not in \(folders.joined(separator: ", ")); --search adds folders",
      file: child.name)
  }

  /// The files that carry a moment, bases first: they need no others.
  private mutating func candidates(_ id: Digest) -> [String] {
    let known = moments ?? scan()
    moments = known
    return known[id] ?? []
  }

  private func scan() -> [Digest: [String]] {
    var bases: [Digest: [String]] = [:]
    var increments: [Digest: [String]] = [:]
    for folder in folders {
      for name in Self.names(in: folder) where !name.hasSuffix(".partial") {
        let path = Self.join(folder, name)
        guard ImageFile.trailer(of: path) != nil, let image = try? ImageFile(path) else { continue }
        if image.header.parent == nil {
          bases[image.root.checkpointID, default: []].append(path)
        } else {
          increments[image.root.checkpointID, default: []].append(path)
        }
      }
    }
    return bases.merging(increments) { $0 + $1 }
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
