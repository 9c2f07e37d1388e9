package import CheckpointImage

/// Something odd in a source that is captured all the same.
package struct SourceRemark: Hashable, Sendable {
  /// What it means for the image.
  package enum Weight: Sendable {
    /// Nothing: the image has all that the source was to have.
    case note
    /// Nothing is lost, but what was not understood may matter.
    case warning
    /// The source is incomplete: what it lacks is not in the image either.
    case incomplete
  }

  /// What it means for the image.
  package var weight: Weight
  /// What is odd, and where.
  package var what: CheckpointError

  /// A remark.
  package init(_ weight: Weight, _ what: CheckpointError) {
    self.weight = weight
    self.what = what
  }
}
