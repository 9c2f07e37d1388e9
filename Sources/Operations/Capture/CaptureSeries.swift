internal import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
package import Storage
/// Makes an image of each moment of a source: of a checkpointed stream a base and its increments, of any
/// other source one image. Each image is complete and has its name before the next one begins.
package struct CaptureSeries {
  /// How the first image is made; each of the others is an increment on the one before it.
  package var capture: Capture
  /// What is known of the making of an image when it begins.
  package var provenance: () -> Provenance
  /// The file for the image of a moment, numbered from 0.
  package var output: (Int) throws(CheckpointError) -> OutputFile
  /// Whether there can be files for several moments.
  package var takesSeveral: Bool

  /// Prepares a series.
  package init(
    _ capture: Capture, takesSeveral: Bool,
    provenance: @escaping () -> Provenance = { Provenance() },
    output: @escaping (Int) throws(CheckpointError) -> OutputFile
  ) {
    self.capture = capture
    self.takesSeveral = takesSeveral
    self.provenance = provenance
    self.output = output
  }

  /// Reads `source` to its end.
  ///
  /// - Parameters:
  ///   - ending: adds what is known only at the end of a moment to the provenance of its image.
  ///   - done: told of each image once it has its name.
  /// - Returns: what cut the last moment short, which then has no image; nil if the source was whole.
  package func run(
    _ source: any DescribedSource, on pool: WorkerPool, progress: (Double?) -> Void = { _ in },
    ending: (inout Provenance) throws(CheckpointError) -> Void = { _ in },
    done: (String, ImageWriter.Summary) throws(CheckpointError) -> Void
  ) throws(CheckpointError) -> CheckpointError? {
    var capture = capture
    var number = 0
    var hasNext = false
    repeat {
      let file = try output(number)
      capture.provenance = provenance()
      do throws(CheckpointError) {
        let summary = try capture.run(
          source, to: file, on: pool, progress: progress, ending: ending)
        if !takesSeveral, try source.beginNextMoment() {
          throw CheckpointError(
            .refused,
            "is a checkpointed stream of several moments: name the images by a pattern, such as "
              + "-o 'name-%04d.ckpt'", file: source.name)
        }
        try file.commit()
        try done(file.name, summary)
        guard takesSeveral else { return nil }
        try Self.goOn(&capture, to: file.name)
        number += 1
      } catch {
        if !source.survives(error) {
          guard number > 0, Self.isCut(source, error) else { throw error }
          return error
        }
      }
      hasNext = try source.beginNextMoment()
      if source.startsOver { capture.parent = nil }
    } while hasNext
    return nil
  }

  /// The image that was just made becomes the parent of the next.
  private static func goOn(_ capture: inout Capture, to file: String) throws(CheckpointError) {
    let image = try ImageFile(file)
    if let parent = capture.parent {
      try parent.advance(by: image)
    } else {
      capture.parent = RunningMoment(try Chain([image]))
    }
    // What changed in a part of a moment is of no use.
    capture.keepsUnfinished = false
  }

  /// Whether the source ended in the middle of a moment.
  private static func isCut(_ source: any DescribedSource, _ error: CheckpointError) -> Bool {
    // A member's name begins with that of its archive, which may be what was cut.
    guard error.kind == .incomplete, let cut = error.file else { return false }
    return source.name == cut || source.name.hasPrefix(cut + ":")
  }
}
