package import CheckpointCodec
package import CheckpointImage
package import Storage

/// Memory and machine state from a file or stream of Xen, libvirt or XenServer; the moments of a checkpointed
/// (Remus) stream come one after the other.
package final class XenStreamSource: MomentSeries {
  private enum Body {
    case libxc(LibxcStream)
    case libxl(LibxlStream)
    case xenServer(XenServerImage)
  }

  private enum Position {
    case inMoment
    case behindMoment
    case end
  }

  /// The name used in messages.
  package var name: String { input.name }
  /// Facts from the headers.
  package var facts: SourceFacts {
    var facts = SourceFacts(
      kind: format.name, architecture: .x86, ascendingUnique: false, moment: reader.facts,
      fields: reader.fields)
    if wasCheckpointed { facts.fields.append(("source.epoch", "\(reader.moment)")) }
    return facts
  }
  /// Canonical for streams with more than one moment, whose bytes cannot be reproduced; else the writer decides
  /// by whether pages come more than once.
  package var layoutKind: LayoutKind? { wasCheckpointed || reader.isVerifying ? .canonical : nil }
  /// Later moments of a checkpointed stream contain only changes.
  package var isDifference: Bool { reader.moment > 0 }
  /// The fraction of the input that was read.
  package var fractionDone: Double? { input.fractionDone }

  private let format: XenFormat
  private let reader: StreamReader
  private var input: InputStream { reader.input }
  private let body: Body
  private var position = Position.inMoment
  private var wasCheckpointed = false

  /// Reads the headers of a file in this format.
  package init(_ input: InputStream, _ format: XenFormat) throws(CheckpointError) {
    self.format = format
    reader = StreamReader(input)
    switch format {
    case .libxc: body = .libxc(try LibxcStream(reader))
    case .libxl: body = .libxl(try LibxlStream(reader))
    case .xl:
      try XLHeader.read(reader)
      body = .libxl(try LibxlStream(reader))
    case .libvirt:
      try LibvirtHeader.read(reader)
      body = .libxl(try LibxlStream(reader))
    case .xenServer: body = .xenServer(try XenServerImage(reader))
    }
  }

  /// The next event of this moment.
  package func next() throws(CheckpointError) -> SourceEvent? {
    while true {
      if let event = reader.takeEvent() { return event }
      guard position == .inMoment else { return nil }
      switch try step() {
      case nil: break
      case .moment:
        wasCheckpointed = true
        position = .behindMoment
      case .stream: try end()
      }
    }
  }

  /// Starts the next moment of a checkpointed stream; false if there is none.
  package func beginNextMoment() throws(CheckpointError) -> Bool {
    guard position == .behindMoment, try !input.isAtEnd() else { return false }
    // An END without a guest before it ends the stream, not a moment.
    var ends = 0
    while ends < 2, try input.peek(8) == [UInt8](repeating: 0, count: 8) {
      _ = try input.read(8, "END")
      ends += 1
    }
    if ends > 0 {
      try end()
      return false
    }
    reader.beginMoment()
    switch body {
    case .libxc(let stream): stream.beginMoment()
    case .libxl(let stream): stream.beginMoment()
    case .xenServer: break
    }
    position = .inMoment
    return true
  }

  private func step() throws(CheckpointError) -> StreamEnd? {
    switch body {
    case .libxc(let stream): try stream.step()
    case .libxl(let stream): try stream.step()
    case .xenServer(let image): try image.step()
    }
  }

  private func end() throws(CheckpointError) {
    guard try input.isAtEnd() else {
      throw reader.damaged("bytes after the end", format.name, at: input.position)
    }
    position = .end
  }
}
