// DeleteObjects: up to a thousand objects in one request, each with an answer of its own.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteObjects: Operation {
    static let route = Route.rest("S3.DeleteObjects", .post, "/{Bucket}?delete")

    struct Input: Readable {
      let bucket: String
      let objects: [S3Service.DeletionRequest]
      /// Only errors are told.
      let isQuiet: Bool

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        guard S3Body(r.request).isChecked else { throw .bodyUnchecked() }
        guard let element = try S3Document.read(r, "Delete") else { throw .malformedXML() }
        isQuiet = element["Quiet"] == "true"
        let bypasses = r.request.header("x-amz-bypass-governance-retention")?.lowercased() == "true"
        var objects: [S3Service.DeletionRequest] = []
        for object in element.children("Object") {
          guard let key = object["Key"], !key.isEmpty else { throw .malformedXML() }
          for name in ["LastModifiedTime", "Size"] where object.child(name) != nil {
            throw .notImplemented("S3.DeleteObjects with \(name)")
          }
          objects.append(
            S3Service.DeletionRequest(
              key: key, version: object["VersionId"], ifMatch: object["ETag"], bypassesGovernance: bypasses))
        }
        guard (1...1000).contains(objects.count) else { throw .malformedXML() }
        self.objects = objects
      }
    }

    struct Output: Writable {
      let results: [(key: String, asked: String?, result: Result<S3Service.Deletion, AWSError>)]
      let isQuiet: Bool

      func write(to w: inout Writer) {
        w.xml("DeleteResult") { xml in
          for (key, asked, result) in results {
            switch result {
            case .success(let deletion):
              guard !isQuiet else { continue }
              xml.element("Deleted") { xml in
                xml.element("Key", key)
                if let asked { xml.element("VersionId", asked) }
                guard deletion.isMarker else { return }
                xml.element("DeleteMarker", "true")
                if let version = deletion.version { xml.element("DeleteMarkerVersionId", version) }
              }
            case .failure(let error):
              xml.element("Error") { xml in
                xml.element("Key", key)
                if let asked { xml.element("VersionId", asked) }
                xml.element("Code", error.code)
                xml.element("Message", error.message)
              }
            }
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      _ = try await s3.bucket(input.bucket, call)
      var results: [(key: String, asked: String?, result: Result<S3Service.Deletion, AWSError>)] = []
      for request in input.objects {
        do throws(AWSError) {
          results.append(
            (request.key, request.version, .success(try await s3.delete(input.bucket, request, call))))
        } catch {
          results.append((request.key, request.version, .failure(error)))
        }
      }
      return Output(results: results, isQuiet: input.isQuiet)
    }
  }
}
