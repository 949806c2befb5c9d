using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Cache;

/// <summary>Fits with a teacher cache in a folder of the test.</summary>
public abstract class CachesInFolder
{
    private protected MLContext Context { get; } = Rows.Context();

    private protected IDataView View { get; }

    private protected ToyFolder Folder { get; private set; } = null!;

    protected CachesInFolder() => View = Context.Keyed(Rows.Points());

    [SetUp]
    public void MakeFolder() => Folder = new ToyFolder();

    [TearDown]
    public void DeleteFolder() => Folder.Dispose();

    private protected TeacherCacheOptions In() => new() { Folder = Folder.Path };

    private protected float[][] Fit(Teacher teacher, TeacherCacheOptions? cache = null) => Context.Fit(Options(teacher, cache ?? In()), View).Scores(View);

    private protected static DistillationOptions Options(Teacher teacher, TeacherCacheOptions cache) =>
        Rows.Quick(teacher) with { TeacherCache = cache, MinimumTeacherAccuracy = 0, Epochs = 3 };

    /// <summary>A teacher that counts the rows of its queries.</summary>
    private protected Teacher Named(Counter counter) => Teacher.FromTransformer(
        Context.Transforms.CustomMapping<Seen, Answer>(
            (row, answer) =>
            {
                counter.Add();
                answer.Score = RowsTeachers.Rule(row.Features);
            },
            null).Fit(View),
        classNames: Rows.Classes,
        cacheKey: "the rule");

    private protected sealed class Counter
    {
        private int _rows;

        public int Rows => Volatile.Read(ref _rows);

        public Action<int> Then { get; init; } = _ => { };

        /// <summary>ML.NET's cursors compute on several threads.</summary>
        public void Add() => Then(Interlocked.Increment(ref _rows));
    }

    private sealed class Seen
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Answer
    {
        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }
}
