using System.Globalization;
using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Records;
using static TorchSharp.torch;

// Usage: MlNetDistill.Recorder FOLDER ROWS MILLISECONDS
// Opens the toy teacher's cache of all outputs in a folder; the teacher takes some milliseconds for 50 rows. Prints what it is told, "asked N" when the teacher is
// asked from entry N on, and at the end "sum S" of all logits.
var key = RecordToy.Key(int.Parse(args[1], CultureInfo.InvariantCulture), RecordToy.All);
var pause = int.Parse(args[2], CultureInfo.InvariantCulture);
var ids = RecordToy.Ids((int)key.Rows);
var store = new CacheStore(new TeacherCacheOptions { Folder = args[0] }, args[0], Console.WriteLine, Console.WriteLine, CancellationToken.None);
using var answers = store.Open(new(key, RowIds.From(ids), CPU, Ask));
using var sum = answers.Of(arange(key.Rows), ModelOutputs.Logits).Logits.sum();
Console.WriteLine(FormattableString.Invariant($"sum {sum.item<float>()}"));

IEnumerable<OutputChunk> Ask(long from)
{
    Console.WriteLine(FormattableString.Invariant($"asked {from}"));
    foreach (var chunk in RecordToy.Answers(key, ids, from))
    {
        Thread.Sleep(pause);
        yield return chunk;
    }
}
