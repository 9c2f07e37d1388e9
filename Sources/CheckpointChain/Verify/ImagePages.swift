internal import CheckpointCodec
internal import CheckpointImage

/// Checks the pages that one image's own index names, block by block, on any core.
final class ImagePages: Sendable {
  /// Segments that were read whole, by offset.
  struct Segments: Sendable {
    var indexBlocks: Set<UInt64> = []
    var regions: [UInt64: RegionReader.CheckedRegion] = [:]
  }

  /// What was found in one block.
  struct Outcome: Sendable {
    var counts = [UInt64](repeating: 0, count: 8)
    /// What was read and is sound so far.
    var read = Segments()
    var errors: [CheckpointError] = []
    /// The block's leaves of the memory digest; nil for unpopulated pages.
    var leaves: [(slot: Int, leaf: Digest?)] = []
  }

  /// What was found in all blocks.
  struct Totals {
    private var counts = [UInt64](repeating: 0, count: 8)
    private(set) var read = Segments()

    mutating func add(_ outcome: Outcome) {
      read.indexBlocks.formUnion(outcome.read.indexBlocks)
      read.regions.merge(outcome.read.regions) { known, _ in known }
      for state in counts.indices { counts[state] += outcome.counts[state] }
    }

    func compare(with image: ImageFile) -> [CheckpointError] {
      PageState.allCases.compactMap { state in
        let found = counts[Int(state.rawValue)]
        guard image.root.count(state) != found else { return nil }
        return CheckpointError(
          .damaged, "\(state) pages: found \(image.root.count(state)), expected \(found)",
          structure: "root", offset: image.trailer.rootOffset, file: image.name)
      }
    }
  }

  private let image: ImageFile
  private let reader: RegionReader

  init(_ image: ImageFile, _ buffers: PageBufferPool) {
    self.image = image
    reader = RegionReader([image], buffers)
  }

  func check(_ entry: RootBody.BlockEntry) -> Outcome {
    var outcome = Outcome()
    do throws(CheckpointError) {
      let block = try image.indexBlock(entry)
      outcome.read.indexBlocks.insert(entry.offset)
      var digests = MemoryDigest()
      for (slot, page) in zip(block.occupancy.members, block.entries) {
        outcome.counts[Int(page.status.state.rawValue)] += 1
        let leaf = page.status.state == .unpopulated ? nil : digests.leaf(page)
        outcome.leaves.append((slot, leaf))
      }
      let data = zip(block.occupancy.members, block.entries).filter { $1.status.state == .data }
        .map { RegionReader.Page(pfn: entry.number.pfn($0), image: 0, entry: $1) }
      for start in stride(from: 0, to: data.count, by: PageBuffer.capacity) {
        let part = data[start..<min(start + PageBuffer.capacity, data.count)]
        let (errors, regions) = reader.check(Array(part))
        outcome.errors += errors
        outcome.read.regions.merge(regions) { known, _ in known }
      }
    } catch {
      outcome.errors.append(error)
    }
    return outcome
  }
}
