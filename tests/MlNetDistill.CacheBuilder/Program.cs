using System.Globalization;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Cache;
using static TorchSharp.torch;

// Usage: MlNetDistill.CacheBuilder FOLDER ROWS MILLISECONDS
// Opens the toy teacher's cache of all outputs in a folder; the teacher takes some milliseconds for 50 rows. Prints the log, "query N" when the teacher is
// queried from entry N on, and at the end "sum S" of all logits.
var key = ToyCache.Key(int.Parse(args[1], CultureInfo.InvariantCulture), ToyCache.All);
var pause = int.Parse(args[2], CultureInfo.InvariantCulture);
var ids = ToyCache.Ids((int)key.Rows);
var store = new CacheStore(new TeacherCacheOptions { Folder = args[0] }, args[0], Console.WriteLine, Console.WriteLine, CancellationToken.None);
using var cached = store.Open(new(key, RowIds.From(ids), CPU, Query));
using var sum = cached.Read(arange(key.Rows), ModelOutputs.Logits).Logits.sum();
Console.WriteLine(FormattableString.Invariant($"sum {sum.item<float>()}"));

IEnumerable<OutputChunk> Query(long from)
{
    Console.WriteLine(FormattableString.Invariant($"query {from}"));
    foreach (var chunk in ToyCache.Outputs(key, ids, from))
    {
        Thread.Sleep(pause);
        yield return chunk;
    }
}
