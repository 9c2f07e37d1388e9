public import CheckpointImage

/// Up to 256 pages with their contents, on their way through the steps.
public struct PageBatch: Sendable {
  /// One page of a batch; its contents are at the same place in the buffer.
  public struct Page: Hashable, Sendable {
    /// The page's number.
    public var pfn: PFN
    /// The PV page type.
    public var type: PageType
    /// Data until a step finds it to be evicted, zero or unchanged.
    public var state: PageState
    /// Why the page is evicted; `none` in every other state.
    public var reason: EvictionReason
    /// SHA-256 of the contents, once computed; zero before, and for a zero page.
    public var digest: Digest

    /// A page as it comes from a source.
    public init(pfn: PFN, type: PageType = 0) {
      self.pfn = pfn
      self.type = type
      state = .data
      reason = .none
      digest = .zero
    }

    /// State, type and reason together; an unchanged page has neither type nor reason of its own.
    public var status: PageStatus {
      get {
        state == .unchanged ? PageStatus(state) : PageStatus(state, type: type, reason: reason)
      }
      set { (state, type, reason) = (newValue.state, newValue.type, newValue.reason) }
    }
  }

  /// The contents.
  public var buffer: PageBuffer
  /// The pages, in stream order.
  public var pages: [Page]

  /// Makes a batch.
  public init(buffer: PageBuffer, pages: [Page]) {
    self.buffer = buffer
    self.pages = pages
  }
}
