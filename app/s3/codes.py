"""The error codes of S3 that this gateway uses, with AWS's status and message for each."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """One code: its HTTP status, and AWS's message."""

    status: int
    message: str


CODES = {
    "AccessControlListNotSupported": Code(400, "The bucket does not allow ACLs"),
    "AccessDenied": Code(403, "Access Denied"),
    "AccessForbidden": Code(403, "CORSResponse: This CORS request is not allowed. This is usually"
                                 " because the evalution of Origin, request method /"
                                 " Access-Control-Request-Method or"
                                 " Access-Control-Request-Headers are not whitelisted by the"
                                 " resource's CORS spec."),
    "AuthorizationHeaderMalformed": Code(400, "The authorization header is malformed."),
    "AuthorizationQueryParametersError": Code(400, "The authorization query parameters are wrong."),
    "BadDigest": Code(400, "The Content-MD5 or checksum value that you specified did not match what"
                           " the server received."),
    "BadRequest": Code(400, "Bad Request"),
    "BucketAlreadyExists": Code(409, "The requested bucket name is not available. Select a"
                                     " different name and try again."),
    "BucketAlreadyOwnedByYou": Code(409, "Your previous request to create the named bucket"
                                         " succeeded and you already own it."),
    "BucketNotEmpty": Code(409, "The bucket you tried to delete is not empty"),
    "ConditionalRequestConflict": Code(409, "A conflicting operation occurred during the request."),
    "EntityTooLarge": Code(400, "Your proposed upload exceeds the maximum allowed size"),
    "EntityTooSmall": Code(400, "Your proposed upload is smaller than the minimum allowed size"),
    "IllegalLocationConstraintException": Code(
        400, "The location constraint is incompatible for the region specific endpoint this request"
             " was sent to."),
    "IncompleteBody": Code(400, "You did not provide the number of bytes specified by the"
                                " Content-Length HTTP header"),
    "InternalError": Code(500, "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": Code(403, "The AWS Access Key Id you provided does not exist in our"
                                    " records."),
    "InvalidArgument": Code(400, "Invalid Argument"),
    "InvalidBucketName": Code(400, "The specified bucket is not valid."),
    "InvalidChunkSizeError": Code(403, "Only the last chunk is allowed to have a size less than"
                                       " 8192 bytes"),
    "InvalidDigest": Code(400, "The Content-MD5 you specified is not valid."),
    "InvalidEncryptionAlgorithmError": Code(400, "The encryption request that you specified is not"
                                                 " valid."),
    "InvalidLocationConstraint": Code(400, "The specified location-constraint is not valid"),
    "InvalidPart": Code(400, "One or more of the specified parts could not be found. The part may"
                             " not have been uploaded, or the specified entity tag may not match"
                             " the part's entity tag."),
    "InvalidPartOrder": Code(400, "The list of parts was not in ascending order. The parts list"
                                  " must be specified in order by part number."),
    "InvalidPolicyDocument": Code(400, "The content of the form does not meet the conditions"
                                       " specified in the policy document."),
    "InvalidRange": Code(416, "The requested range is not satisfiable"),
    "InvalidRequest": Code(400, "Invalid Request"),
    "InvalidStorageClass": Code(400, "The storage class you specified is not valid"),
    "InvalidTag": Code(400, "The tag provided was not a valid tag."),
    "InvalidTargetBucketForLogging": Code(400, "The target bucket for logging does not exist."),
    "InvalidURI": Code(400, "Couldn't parse the specified URI."),
    "KeyTooLongError": Code(400, "Your key is too long"),
    "MalformedPOSTRequest": Code(400, "The body of your POST request is not well-formed"
                                      " multipart/form-data."),
    "MalformedPolicy": Code(400, "The policy is not valid."),
    "MalformedTrailerError": Code(400, "The request contained trailing data that was not"
                                       " well-formed or did not conform to our published schema."),
    "MalformedXML": Code(400, "The XML you provided was not well-formed or did not validate against"
                              " our published schema"),
    "MaxMessageLengthExceeded": Code(400, "Your request was too big."),
    "MaxPostPreDataLengthExceededError": Code(400, "Your POST request fields preceding the upload"
                                                   " file were too large."),
    "MetadataTooLarge": Code(400, "Your metadata headers exceed the maximum allowed metadata size"),
    "MethodNotAllowed": Code(405, "The specified method is not allowed against this resource."),
    "MissingContentLength": Code(411, "You must provide the Content-Length HTTP header."),
    "MissingRequestBodyError": Code(400, "Request Body is empty"),
    "NameTaken": Code(409, "HDFS has one name for a file and a directory, and the other kind has"
                           " it."),
    "NoSuchBucket": Code(404, "The specified bucket does not exist"),
    "NoSuchBucketPolicy": Code(404, "The bucket policy does not exist"),
    "NoSuchCORSConfiguration": Code(404, "The CORS configuration does not exist"),
    "NoSuchKey": Code(404, "The specified key does not exist."),
    "NoSuchLifecycleConfiguration": Code(404, "The lifecycle configuration does not exist"),
    "NoSuchObjectLockConfiguration": Code(404, "The specified object does not have a ObjectLock"
                                               " configuration"),
    "NoSuchPublicAccessBlockConfiguration": Code(404, "The public access block configuration was"
                                                      " not found"),
    "NoSuchTagSet": Code(404, "The TagSet does not exist"),
    "NoSuchUpload": Code(404, "The specified upload does not exist. The upload ID may be invalid,"
                              " or the upload may have been aborted or completed."),
    "NoSuchVersion": Code(404, "The specified version does not exist."),
    "NoSuchWebsiteConfiguration": Code(404, "The specified bucket does not have a website"
                                            " configuration"),
    "NotImplemented": Code(501, "A header or query you provided implies functionality that is not"
                                " implemented."),
    "ObjectLockConfigurationNotFoundError": Code(404, "Object Lock configuration does not exist for"
                                                      " this bucket"),
    "OperationAborted": Code(409, "A conflicting conditional operation is currently in progress"
                                  " against this resource. Try again."),
    "OwnershipControlsNotFoundError": Code(404, "The bucket ownership controls were not found"),
    "PreconditionFailed": Code(412, "At least one of the pre-conditions you specified did not"
                                    " hold"),
    "QuotaExceeded": Code(403, "A quota of the file system is used up."),
    "ReplicationConfigurationNotFoundError": Code(404, "The replication configuration was not"
                                                       " found"),
    "RequestTimeTooSkewed": Code(403, "The difference between the request time and the current time"
                                      " is too large."),
    "RequestTimeout": Code(400, "Your socket connection to the server was not read from or written"
                                " to within the timeout period."),
    "ServerSideEncryptionConfigurationNotFoundError": Code(
        404, "The server side encryption configuration was not found"),
    "ServiceUnavailable": Code(503, "Please reduce your request rate."),
    "SignatureDoesNotMatch": Code(403, "The request signature we calculated does not match the"
                                       " signature you provided. Check your key and signing"
                                       " method."),
    "SlowDown": Code(503, "Please reduce your request rate."),
    "TooManyBuckets": Code(400, "You have attempted to create more buckets than allowed"),
    "UnresolvableGrantByEmailAddress": Code(400, "The email address you provided does not match any"
                                                 " account on record."),
    "XAmzContentSHA256Mismatch": Code(400, "The provided 'x-amz-content-sha256' header does not"
                                           " match what was computed."),
}
