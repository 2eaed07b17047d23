// Buckets and their objects, a page at a time.

import { call, query } from './api.js';
import { find, formatSize, formatTime, make } from './dom.js';

const PAGE = 50;

export class Objects {
  constructor() {
    this.bucket = find('bucket');
    this.prefix = find('prefix');
    this.list = find('objects');
    this.shown = PAGE;
    this.bucket.addEventListener('change', () => this.restart());
    this.prefix.addEventListener('input', () => this.restart());
    find('more').addEventListener('click', () => {
      this.shown += PAGE;
      this.refresh();
    });
  }

  restart() {
    this.shown = PAGE;
    this.refresh();
  }

  showBuckets(buckets, first) {
    const chosen = this.bucket.value || first;
    this.bucket.replaceChildren(...buckets.map((bucket) => make('option', { value: bucket.name },
      [bucket.name, bucket.objects, bucket.acl === 'private' ? '' : bucket.acl, bucket.versioning && 'versioned'].filter((part) => part !== '').join(' · '))));
    if (buckets.some((bucket) => bucket.name === chosen)) this.bucket.value = chosen;
  }

  async refresh() {
    const bucket = this.bucket.value;
    if (!bucket) return;
    const asked = [bucket, this.prefix.value, this.shown].join('\n');
    this.asked = asked;
    const answer = await call(`objects?${query({ bucket, prefix: this.prefix.value, limit: this.shown })}`);
    // What was asked for meanwhile overrules a late answer.
    if (this.asked !== asked) return;
    this.list.replaceChildren(...answer.objects.map((object) => renderObject(bucket, object)));
    find('more').hidden = !answer.next;
    const empty = find('no-objects');
    empty.hidden = answer.objects.length > 0;
    empty.textContent = this.prefix.value ? 'No key begins like that.' : 'This bucket is empty.';
  }
}

function renderObject(bucket, object) {
  const target = `object?${query({ bucket, key: object.key })}`;
  return make('li', {},
    make('a', { class: 'key', href: target, target: '_blank', rel: 'noopener' }, object.key),
    make('span', { class: 'about' },
      `${formatSize(object.size)} · ${object.type} · ${formatTime(object.modified)}${object.object_type === 'Normal' ? '' : ` · ${object.object_type}`}`),
    make('span', { class: 'etag', title: 'ETag' }, object.etag),
    make('a', { class: 'download', href: `${target}&download=1`, download: '', 'aria-label': `Download ${object.key}` }, 'Download'),
  );
}
