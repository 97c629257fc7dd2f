// Whether a function is there: what services ask that are to call it later. No operation of AWS's.
import MartletCore

extension Lambda {
  package enum FindFunction: Shape {
    package static let route = Route.rest("Lambda.FindFunction", .get, "/2015-03-31/functions/{FunctionName}")

    package struct Input: Readable, Sendable {
      /// A name or an ARN, with or without a qualifier.
      package let function: String

      package init(function: String) { self.function = function }

      package init(_ r: Reader) throws(AWSError) { throw .notImplemented("Lambda.FindFunction over HTTP") }
    }

    package typealias Output = Empty
  }
}
