public import CheckpointImage

/// Page types for people.
public enum PageTypeName {
  /// `ordinary`, `page table L1`, `page table L4, pinned`.
  public static func text(_ type: PageType) -> String {
    type == 0 ? "ordinary" : "page table L\(type & 7)" + (type & 8 == 0 ? "" : ", pinned")
  }
}
