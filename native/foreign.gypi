# Sources that are not ours: their warnings are not ours to mend.
{
  'cflags': ['-std=gnu11', '-w'],
  'cflags!': ['-Wall', '-Wextra'],
}
