// The face of an asynchronous Invoke, by which the services around Lambda run functions.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html with the invocation type Event
import MartletCore
import NIOCore

/// The namespace of Lambda's operations: one file each in MartletLambda's `Operations/`.
package enum Lambda {}

extension Lambda {
  package enum InvokeEvent: Shape {
    package static let route = Route.rest(
      "Lambda.Invoke", .post, "/2015-03-31/functions/{FunctionName}/invocations", status: 202)

    package struct Input: Readable, Sendable {
      /// A name or an ARN, with or without a qualifier.
      package let function: String
      /// JSON, at most 1 MiB.
      package let payload: ByteBuffer

      package init(function: String, payload: ByteBuffer) {
        self.function = function
        self.payload = payload
      }

      package init(_ r: Reader) throws(AWSError) { throw .notImplemented("Lambda.InvokeEvent over HTTP") }
    }

    /// The event is on disk, under the id of the call.
    package typealias Output = Empty
  }
}
