internal import CheckpointCodec
internal import CheckpointImage
internal import Dispatch
internal import Synchronization

/// A region's header and pages, for all who want some of them at about the same time.
final class ExpandedRegion: Sendable {
  struct Contents: Sendable {
    var header: RegionHeader
    var buffer: PageBuffer
  }

  private let result = Mutex<Result<Contents, CheckpointError>?>(nil)
  private let done = DispatchGroup()

  init() { done.enter() }

  func complete(_ value: Result<Contents, CheckpointError>) {
    result.withLock { $0 = value }
    done.leave()
  }

  /// Waits for the thread that expands the region.
  func wait() -> Result<Contents, CheckpointError> {
    done.wait()
    return result.withLock { $0 }
      ?? .failure(CheckpointError(.refused, "a region was never expanded"))
  }
}

/// The regions expanded last: neighbours want pages of the same regions at about the same time.
final class ExpandedRegions: Sendable {
  struct Key: Hashable, Sendable {
    var image: Int32
    var offset: UInt64
    var length: UInt32
  }

  private struct State {
    var regions: [Key: ExpandedRegion] = [:]
    var sizes: [Key: Int] = [:]
    var order: [Key] = []
    var bytes = 0
  }

  /// Bytes kept: a longer chain has more regions under each range of pages.
  private let limit: Int
  private let state = Mutex(State())

  init(images: Int) { limit = Self.limit(images: images) }

  /// How many bytes of expanded regions are kept for a chain of so many images.
  static func limit(images: Int) -> Int { min(16 + images, 64) << 20 }

  /// The region, and whether the caller is the one who must expand it.
  func region(_ key: Key) -> (region: ExpandedRegion, isNew: Bool) {
    state.withLock { state in
      if let known = state.regions[key] { return (known, false) }
      let region = ExpandedRegion()
      state.regions[key] = region
      state.order.append(key)
      return (region, true)
    }
  }

  /// Takes note of what an expanded region takes, or one that could not be; older ones make room.
  func expanded(_ key: Key, bytes: Int) {
    state.withLock { state in
      guard state.regions[key] != nil, state.sizes.updateValue(bytes, forKey: key) == nil else {
        return
      }
      state.bytes += bytes
      while state.bytes > limit, state.order.count > 1 {
        let oldest = state.order.removeFirst()
        state.regions[oldest] = nil
        state.bytes -= state.sizes.removeValue(forKey: oldest) ?? 0
      }
    }
  }
}
