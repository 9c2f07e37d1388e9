package import CheckpointCodec
package import CheckpointImage
package import Storage

/// Finds the ancestors of an image by their checkpoint IDs; names are only where to look first (Spec, "Chains").
package struct ChainResolver {
  /// The ancestors that were found, and what keeps the chain from being complete.
  package struct Ancestors {
    /// The parent first, the base last.
    package var images: [ImageFile]
    /// Nil if the last of them is a base.
    package var obstacle: CheckpointError?
  }

  /// An image on the way from the tip to a base, and what may be its parent.
  private struct Step {
    var header: ImageHeader
    var name: String
    /// Nil for the tip, which may be damaged behind its header.
    var image: ImageFile?
    var candidates: [String] = []
    var next = 0
    var askedByName = false
    var askedByMoment = false
    /// Why what has the parent's name is not the parent.
    var failure: CheckpointError?
  }

  private let finder: any ImageFinder
  private let cancellation: Cancellation
  /// Images that are open already: a moment that one of them carries is not looked for elsewhere.
  private let known: [Digest: ImageFile]
  /// Moments of which every candidate was tried.
  private var exhausted: Set<Digest> = []

  /// - Parameters:
  ///   - finder: where images are looked for.
  ///   - known: images of another chain, which are not opened again where they belong to this one too.
  package init(
    _ finder: any ImageFinder, knowing known: [ImageFile] = [], cancellation: Cancellation
  ) {
    self.finder = finder
    self.cancellation = cancellation
    self.known = Dictionary(known.map { ($0.root.checkpointID, $0) }) { first, _ in first }
  }

  /// The ancestors of an image, as far as they are found.
  package mutating func ancestors(of image: ImageFile) throws(CheckpointError) -> Ancestors {
    try ancestors(of: image.header, named: image.name, fileID: image.trailer.fileID)
  }

  /// The ancestors of an image of which the header is known. The search goes from parent to parent, and back where
  /// one turns out to have lost its own: another file may carry the same moment. Each file is tried once.
  ///
  /// - Parameter fileID: the image's identity, if it could be read: a chain must not come back to it.
  package mutating func ancestors(of header: ImageHeader, named name: String, fileID: Digest?)
    throws(CheckpointError) -> Ancestors
  {
    var steps = [Step(header: header, name: name)]
    var tried: Set<Digest> = []
    if let fileID { tried.insert(fileID) }
    var onPath = tried
    var first: Ancestors?
    while let step = steps.last, step.header.parent != nil {
      try cancellation.check()
      if let parent = try nextParent(of: &steps[steps.count - 1], tried, onPath) {
        tried.insert(parent.trailer.fileID)
        onPath.insert(parent.trailer.fileID)
        steps.append(Step(header: parent.header, name: parent.name, image: parent))
        guard steps.count <= Limits.maximumChain else {
          throw CheckpointError(
            .refused, "the chain has more than \(Limits.maximumChain) images", file: name)
        }
      } else {
        let obstacle = steps[steps.count - 1].failure ?? missingParent(of: step)
        first = first ?? Ancestors(images: steps.compactMap(\.image), obstacle: obstacle)
        steps.removeLast()
        if let image = step.image { onPath.remove(image.trailer.fileID) }
      }
    }
    return steps.isEmpty
      ? first ?? Ancestors(images: []) : Ancestors(images: steps.compactMap(\.image))
  }

  /// The next image that may be the parent: first what has the remembered name, then what carries the moment.
  private mutating func nextParent(
    of step: inout Step, _ tried: Set<Digest>, _ onPath: Set<Digest>
  ) throws(CheckpointError) -> ImageFile? {
    guard let id = step.header.parent, !exhausted.contains(id) else { return nil }
    if let image = known[id], !tried.contains(image.trailer.fileID),
      (try? Self.check(image, as: step)) != nil
    {
      return image
    }
    if !step.askedByName {
      step.askedByName = true
      if !step.header.parentName.isEmpty {
        step.candidates = try finder.images(named: step.header.parentName)
      }
    }
    while true {
      if step.next == step.candidates.count {
        guard !step.askedByMoment else {
          exhausted.insert(id)
          return nil
        }
        step.askedByMoment = true
        step.candidates = try finder.images(carrying: id)
        step.next = 0
        continue
      }
      step.next += 1
      do throws(CheckpointError) {
        let image = try ImageFile(
          finder.open(step.candidates[step.next - 1]), cancellation: cancellation)
        guard image.root.checkpointID == id else { continue }
        guard !onPath.contains(image.trailer.fileID) else {
          throw CheckpointError(
            .damaged, "the chain comes back to \(image.name)", structure: "header", offset: 0,
            file: step.name)
        }
        try Self.check(image, as: step)
        if !tried.contains(image.trailer.fileID) { return image }
      } catch {
        if error.kind == .interrupted { throw error }
        // What has the parent's name and cannot be read is more likely the parent than not.
        step.failure = step.failure ?? error
      }
    }
  }

  private static func check(_ parent: ImageFile, as child: Step) throws(CheckpointError) {
    guard parent.header.architecture == child.header.architecture,
      parent.header.addressSpace == child.header.addressSpace
    else {
      throw CheckpointError(
        .mismatch, "its parent \(parent.name) is of another kind of guest", file: child.name)
    }
  }

  private func missingParent(of child: Step) -> CheckpointError {
    let name = child.header.parentName
    let id = child.header.parent.map { "\($0)" } ?? ""
    return CheckpointError(
      .missingParent,
      "its parent, checkpoint \(id)" + (name.isEmpty ? "" : " (was \(name))")
        + ", is not in \(finder.places)",
      file: child.name, hint: .searchElsewhere)
  }
}
