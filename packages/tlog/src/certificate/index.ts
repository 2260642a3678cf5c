export { accountOf, outOfReachOf } from './account.ts';
export {
  type Account,
  type Certificate,
  type CertifiedJob,
  type CertifiedKind,
  type CertifiedManifest,
  type CertifiedProof,
  type CertifiedRecord,
  formatCertificate,
  type OutOfReach,
} from './certificate.ts';
export { readCertificate } from './read-certificate.ts';
export {
  type CertificateCheck,
  type CertificateOutcome,
  type CertificateReport,
  verifyCertificate,
} from './verify-certificate.ts';
