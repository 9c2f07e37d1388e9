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
    facts.remarks = remarks
    facts.mayLackPages = reader.facts.obstacles.contains(.uncertainPages)
    if wasCheckpointed { facts.fields.append(("source.epoch", "\(reader.moment)")) }
    return facts
  }
  /// Canonical for streams with more than one moment and for such that broke off, whose bytes cannot be reproduced; else
  /// the writer decides by whether pages come more than once.
  package var layoutKind: LayoutKind? {
    let brokeOff = !reader.facts.obstacles.isEmpty
    return wasCheckpointed || reader.isVerifying || brokeOff ? .canonical : nil
  }
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
  private var remarks: [SourceRemark] = []
  private let keepsUncertain: Bool

  /// Reads the headers of a file in this format.
  ///
  /// - Parameter keepingUncertain: if the stream breaks off while memory is sent, what came is a moment all the same,
  ///   from which no guest can go on: later copies of its pages may be missing.
  package init(_ input: InputStream, _ format: XenFormat, keepingUncertain: Bool = false)
    throws(CheckpointError)
  {
    self.format = format
    keepsUncertain = keepingUncertain
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
      do throws(CheckpointError) {
        switch try step() {
        case nil: break
        case .moment:
          wasCheckpointed = true
          position = .behindMoment
        case .stream: try end()
        }
      } catch {
        try endEarly(error)
      }
    }
  }

  /// Ends a stream that breaks off, or is damaged, if what came of it can be told apart from what did not.
  private func endEarly(_ error: CheckpointError) throws(CheckpointError) {
    // Damage to what it is compressed in may have reached the memory before it was noticed.
    guard error.kind == .incomplete || error.kind == .damaged && input.failure == nil else {
      throw error
    }
    if hasAllPages {
      // Behind the end of the memory no page can come again.
      reader.facts.obstacles.insert(.incompleteSource)
    } else if keepsUncertain, error.kind == .incomplete, reader.moment == 0, reader.hasPages {
      reader.facts.obstacles.insert(.uncertainPages)
      reader.facts.consistency = .smeared
    } else {
      var error = error
      if error.kind == .incomplete, reader.moment == 0, reader.hasPages {
        error.hint = .keepUncertain
      }
      throw error
    }
    remarks.append(SourceRemark(.incomplete, error.inFile(name)))
    position = .end
    switch body {
    case .libxc(let stream): stream.endEarly()
    case .libxl(let stream): stream.endEarly()
    case .xenServer(let image): image.endEarly()
    }
    // A pipe's writer waits until everything was read.
    do throws(CheckpointError) {
      _ = try input.skipToEnd()
    } catch {
      // That it ended was said. Damage to what it is compressed in may have reached the memory.
      guard error.kind == .incomplete else { throw error }
    }
  }

  /// Whether the memory of the moment was read to its end.
  private var hasAllPages: Bool {
    switch body {
    case .libxc: false
    case .libxl(let stream): stream.hasAllPages
    case .xenServer(let image): image.hasAllPages
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

  /// Ends the stream. A volume is larger than what was saved to it, and a recorded migration goes on with its hand-over:
  /// what lies behind is passed over.
  private func end() throws(CheckpointError) {
    position = .end
    let place = input.position
    do throws(CheckpointError) {
      let count = try input.skipToEnd()
      guard count > 0 else { return }
      remarks.append(
        SourceRemark(
          .note,
          CheckpointError(
            .damaged, "\(count) bytes behind the end of the \(format.name) are passed over",
            offset: place, file: name)))
    } catch {
      // The stream is whole, but not what it is compressed in: its checksum may be missing.
      guard error.kind == .incomplete else { throw error }
      remarks.append(SourceRemark(.incomplete, error.inFile(name)))
    }
  }
}
