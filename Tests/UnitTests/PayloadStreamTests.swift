// A payload between writer and reader: nothing is lost, nobody is forgotten, memory has a bound.
import NIOCore
import Synchronization
import Testing

@testable import MartletLambda

@Suite struct PayloadStreamTests {
  private final class Count: Sendable {
    private let number = Mutex(0)
    func add() { number.withLock { $0 += 1 } }
    var value: Int { number.withLock { $0 } }
  }

  private func piece(_ size: Int) -> ByteBuffer { ByteBuffer(repeating: 1, count: size) }

  private func bytes(_ piece: PayloadStream.Piece) -> Int? {
    if case .bytes(let part) = piece { part.readableBytes } else { nil }
  }

  @Test func aWriterIsHeldUpAndReleased() {
    let released = Count()
    let stream = PayloadStream { released.add() }
    #expect(stream.write(piece(200 << 10)))
    #expect(!stream.write(piece(60 << 10)))
    #expect(bytes(stream.take()) == 200 << 10 && released.value == 1, "sixty are little")
    #expect(stream.write(piece(1)))
    #expect(bytes(stream.take()) == 60 << 10 && bytes(stream.take()) == 1 && released.value == 1, "once")
  }

  @Test func aReaderIsToldOnceAndAtOnce() {
    let stream = PayloadStream {}
    let told = Count()
    stream.wait { told.add() }
    #expect(told.value == 0)
    _ = stream.write(piece(1))
    _ = stream.write(piece(1))
    #expect(told.value == 1)
    stream.wait { told.add() }
    #expect(told.value == 2, "there is something")
  }

  @Test func theEndComesLastAndStays() {
    let stream = PayloadStream {}
    let ended = Count()
    stream.whenEnded { ended.add() }
    _ = stream.write(piece(1))
    stream.finish(PayloadStream.Ending(failure: ("A", ByteBuffer())))
    stream.finish(PayloadStream.Ending())
    #expect(ended.value == 1)
    stream.whenEnded { ended.add() }
    #expect(ended.value == 2)
    #expect(bytes(stream.take()) == 1)
    for _ in 0..<2 {
      guard case .end(let ending) = stream.take() else { return #expect(Bool(false), "no end") }
      #expect(ending.failure?.type == "A")
    }
  }

  @Test func whatIsPutBackComesFirst() {
    let stream = PayloadStream {}
    _ = stream.write(piece(5))
    _ = stream.write(piece(7))
    _ = stream.take()
    stream.putBack(piece(3))
    #expect(bytes(stream.take()) == 3 && bytes(stream.take()) == 7)
  }

  @Test func nobodyWaitsForAReaderWhoHasLeft() {
    let released = Count()
    let stream = PayloadStream { released.add() }
    #expect(!stream.write(piece(1 << 20)))
    stream.cancel()
    #expect(released.value == 1 && stream.write(piece(1 << 20)))
    if case .nothing = stream.take() {} else { #expect(Bool(false), "it was dropped") }
  }

  /// Two threads, pieces of all sizes: every byte arrives in order, and no more than the bound and a piece lie there.
  @Test(arguments: [1, 2, 3, 4]) func randomPiecesArrive(seed: UInt64) async {
    var random = SplitMix(seed: seed)
    let sizes = (0..<400).map { _ in Int(random.next() % 40_000) }
    let gate = AsyncStream<Void>.makeStream()
    let stream = PayloadStream { gate.continuation.yield() }
    async let written: Void = {
      var releases = gate.stream.makeAsyncIterator()
      var number: UInt8 = 0
      for size in sizes {
        number &+= 1
        if !stream.write(ByteBuffer(repeating: number, count: size)) { await releases.next() }
      }
      stream.finish(PayloadStream.Ending())
    }()
    var read: [Int] = []
    var last: UInt8 = 0
    while case .bytes(let part) = await stream.next() {
      let number = part.getInteger(at: part.readerIndex, as: UInt8.self) ?? 0
      #expect(number != last)
      last = number
      read.append(part.readableBytes)
    }
    await written
    #expect(read == sizes.filter { $0 > 0 })
  }
}
