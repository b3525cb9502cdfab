// What is in the bucket outlives the release, and what is in a backup outlives the bucket.
import { expect } from 'chai';
import { eventually } from '../live/conditions.js';
import type { Access } from './client-program.js';
import { helm, kubectl, leftOf } from './kubernetes.js';
import { PATIENCE, accessTo, deploy, prepareWorld } from './release.js';
import { NAMESPACE, askIn, makeTokenSecret } from './world.js';

const BACKUP = ['--set', 'backup.enabled=true', '--set', 'backup.to=s3://backups/omendb'];
const VERIFY = ['--set', 'verify.enabled=true'];
const RESTORE = ['--set', 'restore.enabled=true', '--set', 'restore.confirm=omendb'];
const SMALL = ['cpu=50m', 'memory=128Mi'].flatMap((each) => ['--set', `backup.resources.requests.${each}`]);

describe('Data of a release on a cluster', function () {
  this.timeout(400_000);
  this.bail(true);
  let access: Access;

  const runNow = async (cronJob: string): Promise<string> => {
    const name = `${cronJob}-now`;
    await kubectl('-n', NAMESPACE, 'create', 'job', name, `--from=cronjob/omendb-${cronJob}`);
    await kubectl('-n', NAMESPACE, 'wait', 'job', name, '--for=condition=Complete', '--timeout=240s');
    return kubectl('-n', NAMESPACE, 'logs', `job/${name}`);
  };
  const nothingIsLeft = (): Promise<true> =>
    eventually(
      'nothing is left',
      async () => ((await leftOf('omendb')).length === 0 ? true : undefined),
      PATIENCE,
    );

  before(async () => {
    await prepareWorld();
    await makeTokenSecret();
    access = await accessTo('kept');
  });

  it('is found again when the release is installed anew', async () => {
    await deploy();
    await askIn('client', 'roundTrip', access);
    await helm('uninstall', 'omendb', '-n', NAMESPACE, '--wait', '--timeout', '4m');
    await nothingIsLeft();
    await deploy();
    expect(await askIn('client', 'read', access)).to.deep.equal({ ids: ['http', 'grpc'] });
  });

  it('is backed up and verified by the CronJobs', async () => {
    await deploy(...BACKUP, ...VERIFY, ...SMALL);
    expect(await runNow('backup')).to.match(/"collections"/);
    await runNow('verify');
  });

  it('comes back from the backup', async () => {
    await askIn('client', 'drop', access);
    await deploy(...BACKUP, ...VERIFY, ...SMALL, ...RESTORE);
    const jobs = ['jobs', '-l', 'app.kubernetes.io/component=backup'];
    await kubectl('-n', NAMESPACE, 'wait', ...jobs, '--for=condition=Complete', '--timeout=240s');
    expect(await askIn('client', 'read', access)).to.deep.equal({ ids: ['http', 'grpc'] });
  });

  it('stays in the bucket when the release goes, and no job or pod does', async () => {
    await helm('uninstall', 'omendb', '-n', NAMESPACE, '--wait', '--timeout', '4m');
    await kubectl('-n', NAMESPACE, 'delete', 'job', 'backup-now', 'verify-now', '--ignore-not-found');
    await nothingIsLeft();
  });
});
