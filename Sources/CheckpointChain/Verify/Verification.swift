package import CheckpointCodec
package import CheckpointImage
package import Storage
/// Checks a chain and goes on after each finding.
package final class Verification {
  /// How much is checked.
  package enum Depth: Sendable {
    /// Structure, links and checksums.
    case quick
    /// Besides, every page's digest, the memory digest and the machine's state, of the whole chain.
    case full
  }

  /// What was checked.
  package struct Counts: Sendable {
    /// Images.
    package var images = 0
    /// Segments.
    package var segments: UInt64 = 0
    /// Pages whose contents were hashed.
    package var pages: UInt64 = 0
    /// Bytes of the files.
    package var bytes: UInt64 = 0
  }

  /// What is wrong, in the order in which it was found.
  package private(set) var findings: [CheckpointError] = []
  /// What kept the check from being complete, such as a missing parent.
  package private(set) var obstacle: CheckpointError?
  /// What was checked.
  package private(set) var counts = Counts()

  private var known: Set<CheckpointError> = []
  private let depth: Depth
  private let pool: WorkerPool
  private let progress: (Double?) -> Void

  /// Prepares a check.
  package init(
    _ depth: Depth, on pool: WorkerPool, progress: @escaping (Double?) -> Void = { _ in }
  ) {
    self.depth = depth
    self.pool = pool
    self.progress = progress
  }

  /// Pieces that are read ahead of a file: index blocks, and regions here and there.
  private static let piecesAhead = 4

  /// Checks the image that is stored somewhere, and its ancestors, which `finder` finds.
  package func run(_ file: any RangeReader, finding finder: any ImageFinder)
    throws(CheckpointError)
  {
    let tip: ImageFile
    do throws(CheckpointError) {
      tip = try ImageFile(file, cancellation: pool.cancellation)
    } catch {
      // What can be found without the root is found; the way it failed to open comes last.
      let walked = walk(ReadAhead(file, pieces: Self.piecesAhead), knowing: nil)
      try pool.cancellation.check()
      // What follows a trailer was reported as that.
      if findings.isEmpty || error.kind != .incomplete || !walked.sawTrailer { note(error) }
      return
    }
    // Images that were found can be checked, but not against what they stand on. The base comes first:
    // each moment follows from the one before.
    var resolver = ChainResolver(finder, cancellation: pool.cancellation)
    let ancestors = try resolver.ancestors(of: tip)
    let (images, obstacle) = ([tip] + ancestors.images, ancestors.obstacle)
    if let obstacle { note(obstacle) }
    var moments = obstacle == nil ? MomentSequence() : nil
    let pieces = ReadAhead.Pieces(limit: Self.piecesAhead)
    for image in images.reversed() { try check(image.readingAhead(pieces), &moments) }
    if depth == .full, obstacle == nil, findings.isEmpty {
      do throws(CheckpointError) {
        try ChainStream.checkLayout(of: Chain(images).readingAhead())
      } catch {
        note(error)
      }
    }
    try pool.cancellation.check()
  }

  /// Findings are of the files; what kept us from looking is an obstacle.
  private func note(_ error: CheckpointError) {
    switch error.kind {
    case .interrupted, .io, .missingParent: obstacle = obstacle ?? error
    default: if known.insert(error).inserted { findings.append(error) }
    }
  }

  private func check(_ image: ImageFile, _ moments: inout MomentSequence?) throws(CheckpointError) {
    let blocks = try image.blocks()
    let read =
      depth == .full ? try checkPages(of: image, blocks, &moments) : ImagePages.Segments()
    let walked = walk(image.storage, knowing: (image, blocks), sparing: read)
    try pool.cancellation.check()
    // What cannot be read need not be compared.
    if !findings.contains(where: { $0.file == image.name }) {
      try IndexComparison(image, blocks, walked.stated).run(on: pool).forEach(note)
    }
    guard findings.isEmpty else { return moments = nil }
    do throws(CheckpointError) {
      try moments?.end(image, blocks)
    } catch {
      note(error)
    }
  }

  /// Walks through the whole file; what was read and checked already is not read again.
  private func walk(
    _ file: any RangeReader, knowing opened: (image: ImageFile, blocks: [RootBody.BlockEntry])?,
    sparing read: ImagePages.Segments = ImagePages.Segments()
  ) -> SegmentWalk {
    counts.images += 1
    counts.bytes &+= file.length
    var walk = SegmentWalk(file, knowing: opened?.blocks ?? [], sparing: read, pool.cancellation)
    walk.run().forEach(note)
    counts.segments += walk.count
    if let opened { walk.compare(with: opened.image, opened.blocks).forEach(note) }
    return walk
  }

  /// Expands every page the image's own index names and compares its digest. Returns the segments that
  /// were read.
  private func checkPages(
    of image: ImageFile, _ blocks: [RootBody.BlockEntry], _ moments: inout MomentSequence?
  ) throws(CheckpointError) -> ImagePages.Segments {
    var lane = OrderedLane<ImagePages.Outcome>(pool)
    var totals = ImagePages.Totals()
    var taken = 0
    func take() throws(CheckpointError) {
      let outcome = try lane.next()
      let entry = blocks[taken]
      taken += 1
      outcome.errors.forEach(note)
      totals.add(outcome)
      counts.pages += outcome.counts[Int(PageState.data.rawValue)]
      guard outcome.errors.isEmpty else { return moments = nil }
      do throws(CheckpointError) {
        try moments?.update(entry, outcome.leaves, of: image)
      } catch {
        note(error)
        moments = nil
      }
    }
    let pages = ImagePages(image, pool.buffers)
    for (index, entry) in blocks.enumerated() {
      try pool.cancellation.check()
      // As in the walk: of a file that is wrong everywhere, more findings are of no use.
      if findings.count > Findings.most { break }
      progress(Double(index) / Double(blocks.count))
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
}
