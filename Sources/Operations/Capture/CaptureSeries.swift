internal import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
internal import Formats
package import Storage

/// Writes an image of each moment of a source: of a checkpointed stream a base and its increments, of any other
/// source one image. Each image is committed before the next one begins.
package struct CaptureSeries {
  /// How the first image is made; each later one is an increment on the one before it.
  package var capture: Capture
  /// Returns the provenance of an image that is about to be made.
  package var provenance: () -> Provenance
  /// Returns the output for the image of a moment, numbered from 0.
  package var output: (Int) throws(CheckpointError) -> any ByteSink
  /// Whether there can be outputs for several moments.
  package var takesSeveral: Bool

  /// A series with these settings.
  package init(
    _ capture: Capture, takesSeveral: Bool,
    provenance: @escaping () -> Provenance = { Provenance() },
    output: @escaping (Int) throws(CheckpointError) -> any ByteSink
  ) {
    self.capture = capture
    self.takesSeveral = takesSeveral
    self.provenance = provenance
    self.output = output
  }

  /// Reads `input` to its end.
  ///
  /// - Parameters:
  ///   - ending: adds to an image's provenance what is known only at the end of its moment.
  ///   - done: called with the name of each image once it is committed.
  /// - Returns: the error that cut the last moment short, which then has no image; nil if the source was
  ///   complete.
  package func run(
    _ input: CaptureInput, on pool: WorkerPool, progress: (Double?) -> Void = { _ in },
    ending: (inout Provenance) throws(CheckpointError) -> Void = { _ in },
    done: (String, Capture.Result) throws(CheckpointError) -> Void
  ) throws(CheckpointError) -> CheckpointError? {
    var capture = capture
    var number = 0
    var hasNext = false
    repeat {
      let file = try output(number)
      capture.provenance = provenance()
      do throws(CheckpointError) {
        let result = try capture.run(
          input, to: file, on: pool, progress: progress, ending: ending)
        if !takesSeveral, try input.series?.beginNextMoment() ?? false {
          throw CheckpointError(
            .refused, "is a checkpointed stream of several moments", file: input.name,
            hint: .numberImages)
        }
        try file.commit()
        try done(file.name, result)
        guard takesSeveral else { return nil }
        try Self.advanceParent(&capture, to: file, pool.cancellation)
        number += 1
      } catch {
        if !(input.series?.survives(error) ?? false) {
          guard number > 0, Self.isCut(input, error) else { throw error }
          return error
        }
      }
      hasNext = try input.series?.beginNextMoment() ?? false
      if input.series?.startsOver ?? false { capture.parent = nil }
    } while hasNext
    return nil
  }

  /// Makes the image that was just written the parent of the next.
  private static func advanceParent(
    _ capture: inout Capture, to output: any ByteSink, _ cancellation: Cancellation
  ) throws(CheckpointError) {
    let image = try ImageFile(output.reopened(), cancellation: cancellation)
    if let parent = capture.parent {
      try parent.advance(by: image)
    } else {
      capture.parent = ParentState(try Chain([image]))
    }
    // The changes in a part of a moment are useless.
    capture.keepsUnfinished = false
  }

  /// Whether the error means that the source ended in the middle of a moment.
  private static func isCut(_ input: CaptureInput, _ error: CheckpointError) -> Bool {
    // A member's name begins with that of its archive, which may be what was cut short.
    guard error.kind == .incomplete, let cut = error.file else { return false }
    return input.name == cut || input.name.hasPrefix(cut + ":")
  }
}
