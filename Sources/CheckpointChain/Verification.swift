public import CheckpointCodec
public import CheckpointImage

/// Checks a chain and goes on after each finding.
public final class Verification {
  /// How much is checked.
  public enum Depth: Sendable {
    /// Structure, links and checksums.
    case quick
    /// Besides, every page's digest, the memory digest and the machine's state, of the whole chain.
    case full
  }

  /// What was checked.
  public struct Counts: Sendable {
    /// Images.
    public var images = 0
    /// Segments.
    public var segments: UInt64 = 0
    /// Pages whose contents were hashed.
    public var pages: UInt64 = 0
    /// Bytes of the files.
    public var bytes: UInt64 = 0
  }

  /// What is wrong, in the order in which it was found.
  public private(set) var findings: [CheckpointError] = []
  /// What kept the check from being complete, such as a missing parent.
  public private(set) var obstacle: CheckpointError?
  /// What was checked.
  public private(set) var counts = Counts()

  private let depth: Depth
  private let pool: WorkerPool
  private let progress: (Double?) -> Void

  /// Prepares a check.
  public init(
    _ depth: Depth, on pool: WorkerPool, progress: @escaping (Double?) -> Void = { _ in }
  ) {
    self.depth = depth
    self.pool = pool
    self.progress = progress
  }

  /// Checks the image at `path` and its ancestors.
  public func run(_ path: String, searching: [String]) throws(CheckpointError) {
    let file = try InputFile(path)
    let tip: ImageFile
    do throws(CheckpointError) {
      tip = try ImageFile(file)
    } catch {
      // What can be found without the root is found; the way it failed to open comes last.
      walk(file, knowing: nil)
      return note(error)
    }
    // Images that were found can be checked, but not against what they stand on.
    let (images, obstacle) = try ChainResolver.images(of: tip, at: path, searching: searching)
    if let obstacle { note(obstacle) }
    for image in images { try check(image) }
    if images[images.count - 1].header.parent == nil { try checkMoments(images) }
  }

  /// Findings are of the files; what kept us from looking is an obstacle.
  private func note(_ error: CheckpointError) {
    switch error.kind {
    case .interrupted, .io, .missingParent: obstacle = obstacle ?? error
    default: if !findings.contains(error) { findings.append(error) }
    }
  }

  private func check(_ image: ImageFile) throws(CheckpointError) {
    let read = depth == .full ? try checkPages(of: image) : ImagePages.Segments()
    let stated = walk(image.file, knowing: image, sparing: read)
    // An index that cannot be read need not be compared.
    guard !findings.contains(where: { $0.file == image.name }) else { return }
    try IndexComparison(image, stated).run(on: pool).forEach(note)
  }

  /// Walks through the whole file; what was read and checked already is not read again.
  @discardableResult
  private func walk(
    _ file: InputFile, knowing image: ImageFile?,
    sparing read: ImagePages.Segments = ImagePages.Segments()
  ) -> StatedPages {
    counts.images += 1
    counts.bytes += file.length
    var walk = SegmentWalk(file, sparing: read)
    walk.run().forEach(note)
    counts.segments += walk.count
    if let image { walk.compare(with: image).forEach(note) }
    return walk.stated
  }

  /// Expands every page the image's own index names and compares its digest. Returns the segments that
  /// were read.
  private func checkPages(of image: ImageFile) throws(CheckpointError) -> ImagePages.Segments {
    var lane = OrderedLane<ImagePages.Outcome>(pool, window: 2 * pool.width + 2)
    var totals = ImagePages.Totals()
    func take() throws(CheckpointError) {
      let outcome = try lane.next()
      outcome.errors.forEach(note)
      totals.add(outcome)
      counts.pages += outcome.counts[Int(PageState.data.rawValue)]
    }
    let pages = ImagePages(image)
    for (index, entry) in image.root.blocks.enumerated() {
      try Interruption.check()
      progress(Double(index) / Double(image.root.blocks.count))
      if lane.isFull { try take() }
      lane.start { pages.check(entry) }
    }
    while !lane.isEmpty { try take() }
    // What could not be read was reported; totals would only repeat it.
    if !findings.contains(where: { $0.file == image.name }) {
      totals.compare(with: image).forEach(note)
    }
    return totals.read
  }

  /// Computes the node of every block the tip has a word on.
  private func checkNodes(_ chain: Chain) throws(CheckpointError) {
    var lane = OrderedLane<Void>(pool, window: 2 * pool.width + 2)
    for entry in chain.tip.root.blocks {
      try Interruption.check()
      if lane.isFull { try lane.next() }
      lane.start { () throws(CheckpointError) in _ = try chain.block(entry.number) }
    }
    while !lane.isEmpty { try lane.next() }
  }

  /// A guest keeps its static records for life.
  private func checkStaticRecords(_ chain: Chain) throws(CheckpointError) {
    guard chain.images.count > 1 else { return }
    let before = try Chain.records(of: chain.images[1]).map(\.key)
    for key in chain.records {
      do throws(CheckpointError) {
        try Chain.check(key, against: before)
      } catch {
        throw error.inFile(chain.tip.name)
      }
    }
  }

  /// Goes through the tip's layout as an export would, without reading a page.
  private func checkLayout(_ chain: Chain) throws(CheckpointError) {
    guard chain.tip.root.layout != .none else { return }
    let source = try ChainSource(chain, order: .layout)
    while try source.next() != nil { try Interruption.check() }
  }

  /// The memory digest and the machine's state of every moment in the chain.
  private func checkMoments(_ images: [ImageFile]) throws(CheckpointError) {
    guard findings.isEmpty else { return }
    for depth in images.indices {
      do throws(CheckpointError) {
        let chain = try Chain(Array(images[depth...]))
        _ = try chain.completeRecords()
        try checkStaticRecords(chain)
        guard self.depth == .full else { continue }
        try checkNodes(chain)
        if depth == 0 { try checkLayout(chain) }
      } catch {
        note(error)
      }
    }
  }
}
