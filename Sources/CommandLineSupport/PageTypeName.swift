package import CheckpointImage

/// Formats page types for people.
package enum PageTypeName {
  /// `ordinary`, `page table L1`, `page table L4, pinned`.
  package static func text(_ type: PageType) -> String {
    type == 0 ? "ordinary" : "page table L\(type & 7)" + (type & 8 == 0 ? "" : ", pinned")
  }
}
