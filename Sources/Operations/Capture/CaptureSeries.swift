internal import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
internal import Formats
package import Storage
/// Makes an image of each moment of a source: of a checkpointed stream a base and its increments, of any
/// other source one image. Each image is complete and has its name before the next one begins.
package struct CaptureSeries {
  /// How the first image is made; each of the others is an increment on the one before it.
  package var capture: Capture
  /// What is known of the making of an image when it begins.
  package var provenance: () -> Provenance
  /// The file for the image of a moment, numbered from 0.
  package var output: (Int) throws(CheckpointError) -> any ByteSink
  /// Whether there can be files for several moments.
  package var takesSeveral: Bool

  /// Prepares a series.
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
  ///   - ending: adds what is known only at the end of a moment to the provenance of its image.
  ///   - done: told of each image once it has its name.
  /// - Returns: what cut the last moment short, which then has no image; nil if the source was whole.
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
        try Self.goOn(&capture, to: file, pool.cancellation)
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

  /// The image that was just made becomes the parent of the next.
  private static func goOn(
    _ capture: inout Capture, to output: any ByteSink, _ cancellation: Cancellation
  ) throws(CheckpointError) {
    let image = try ImageFile(output.reopened(), cancellation: cancellation)
    if let parent = capture.parent {
      try parent.advance(by: image)
    } else {
      capture.parent = RunningMoment(try Chain([image]))
    }
    // What changed in a part of a moment is of no use.
    capture.keepsUnfinished = false
  }

  /// Whether the source ended in the middle of a moment.
  private static func isCut(_ input: CaptureInput, _ error: CheckpointError) -> Bool {
    // A member's name begins with that of its archive, which may be what was cut.
    guard error.kind == .incomplete, let cut = error.file else { return false }
    return input.name == cut || input.name.hasPrefix(cut + ":")
  }
}
