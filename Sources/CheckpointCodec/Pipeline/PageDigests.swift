internal import CheckpointImage

/// The step that reads every page: finds zero pages and computes the digests of the others.
struct PageDigests: Sendable {
  private let hashers = HasherPool()

  func compute(_ batch: PageBatch) -> PageBatch {
    var batch = batch
    hashers.withContext { hasher in
      // What is evicted has no contents; what came from an image was hashed when it was read.
      for slot in batch.pages.indices
      where batch.pages[slot].state == .data && batch.pages[slot].digest == .zero {
        if batch.buffer.isZero(slot) {
          batch.pages[slot].state = .zero
        } else {
          batch.pages[slot].digest = hasher.digest(of: batch.buffer.page(slot))
        }
      }
    }
    return batch
  }
}
