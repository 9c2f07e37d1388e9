package import CheckpointImage

/// Up to 256 pages with their contents, on their way through the steps.
package struct PageBatch: Sendable {
  /// One page of a batch; its contents are at the same place in the buffer.
  package struct Page: Hashable, Sendable {
    /// The page's number.
    package var pfn: PFN
    /// The PV page type.
    package var type: PageType
    /// Data until a step finds it to be evicted, zero or unchanged.
    package var state: PageState
    /// Why the page is evicted; `none` in every other state.
    package var reason: EvictionReason
    /// SHA-256 of the contents, once computed; zero before, and for a zero page.
    package var digest: Digest

    /// A page as it comes from a source.
    package init(pfn: PFN, type: PageType = 0) {
      self.pfn = pfn
      self.type = type
      state = .data
      reason = .none
      digest = .zero
    }

    /// State, type and reason together; an unchanged page has neither type nor reason of its own.
    package var status: PageStatus {
      get {
        state == .unchanged ? PageStatus(state) : PageStatus(state, type: type, reason: reason)
      }
      set { (state, type, reason) = (newValue.state, newValue.type, newValue.reason) }
    }
  }

  /// The contents.
  package var buffer: PageBuffer
  /// The pages, in stream order.
  package var pages: [Page]

  /// Makes a batch.
  package init(buffer: PageBuffer, pages: [Page]) {
    self.buffer = buffer
    self.pages = pages
  }
}
