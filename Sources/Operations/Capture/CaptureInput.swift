internal import CheckpointChain
package import CheckpointCodec
internal import CheckpointImage
package import Formats

/// The input of a capture.
package enum CaptureInput {
  /// A source; the pages of a plan are evicted.
  case source(any DescribedSource, evicting: EvictionPlan = EvictionPlan())
  /// A moment that was read already; the pages of a plan are evicted.
  case spooled(SpooledMoment, evicting: EvictionPlan)

  /// The name used in messages.
  package var name: String {
    switch self {
    case .source(let source, _): source.name
    case .spooled(let moment, _): moment.name
    }
  }

  /// The description; some facts may be known only at the end of a moment.
  package var facts: SourceFacts {
    switch self {
    case .source(let source, _): source.facts
    case .spooled(let moment, _): moment.facts
    }
  }

  /// How faithful the recorded layout is; nil if the writer decides.
  var layoutKind: LayoutKind? {
    switch self {
    case .source(let source, _): source.layoutKind
    case .spooled(let moment, _): moment.chain.tip.root.layout
    }
  }

  /// The source, if it may have several moments; else nil.
  var series: (any MomentSeries)? {
    switch self {
    case .source(let source, _): source.series
    case .spooled: nil
    }
  }
}
