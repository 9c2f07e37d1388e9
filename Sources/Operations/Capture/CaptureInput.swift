internal import CheckpointChain
package import CheckpointCodec
internal import CheckpointImage
package import Formats

/// What an image is made of.
package enum CaptureInput {
  /// A source, without the contents of the pages in a plan.
  case source(any DescribedSource, evicting: EvictionPlan = EvictionPlan())
  /// A moment that was read already, without the contents of the pages in a plan.
  case spooled(SpooledMoment, evicting: EvictionPlan)

  /// The name used in messages.
  package var name: String {
    switch self {
    case .source(let source, _): source.name
    case .spooled(let moment, _): moment.name
    }
  }

  /// What the source is; some of it may be known only at the end of a moment.
  var facts: SourceFacts {
    switch self {
    case .source(let source, _): source.facts
    case .spooled(let moment, _): moment.facts
    }
  }

  /// How faithful the recorded layout is; nil leaves it to the writer.
  var layoutKind: LayoutKind? {
    switch self {
    case .source(let source, _): source.layoutKind
    case .spooled(let moment, _): moment.chain.tip.root.layout
    }
  }

  /// The source, if it may have several moments.
  var series: (any MomentSeries)? {
    switch self {
    case .source(let source, _): source.series
    case .spooled: nil
    }
  }
}
