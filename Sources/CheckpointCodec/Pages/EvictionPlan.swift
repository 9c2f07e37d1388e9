public import CheckpointImage

/// Which pages are not to be saved, each with the reason: one byte a page, for the blocks that have any.
public struct EvictionPlan: Sendable {
  private var blocks: [UInt64: [EvictionReason]] = [:]

  /// Every page is saved.
  public init() {}

  /// Whether every page is saved.
  public var isEmpty: Bool { blocks.isEmpty }

  /// Why a page is not saved; `none` if it is. Saving it after all is setting `none`.
  public subscript(pfn: PFN) -> EvictionReason {
    get { blocks[pfn / Self.size].map { $0[Int(pfn % Self.size)] } ?? .none }
    set {
      guard newValue != .none || blocks[pfn / Self.size] != nil else { return }
      blocks[
        pfn / Self.size, default: [EvictionReason](repeating: .none, count: Limits.blockPages)
      ][Int(pfn % Self.size)] = newValue
    }
  }

  private static let size = UInt64(Limits.blockPages)
}
