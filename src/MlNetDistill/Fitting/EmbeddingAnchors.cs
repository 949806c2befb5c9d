using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>The teacher of an embedding fit, or the anchors of its route in order, with their embeddings of all rows.</summary>
internal sealed class EmbeddingAnchors : IDisposable
{
    private readonly IReadOnlyList<OpenEmbeddings> _opened;
    private readonly TeacherSpace?[] _spaces;

    private EmbeddingAnchors(IReadOnlyList<OpenEmbeddings> opened) => (_opened, _spaces) = (opened, new TeacherSpace?[opened.Count]);

    /// <summary>The teacher, or the last anchor of a route, by which the student is judged.</summary>
    public TeacherSpace Last => _spaces[^1]!;

    /// <summary>The anchors as teachers of stages; those that no stage reads have no answers.</summary>
    public IReadOnlyList<Anchor> Anchors =>
        [.. _opened.Zip(_spaces, (opened, space) => new Anchor(opened.Label, opened.Epoch, space is null ? new PlannedTeacher(new OutputShapes(1), true, false) : space.Target))];

    /// <summary>What was decided, as sentences.</summary>
    public IEnumerable<string> Notes => _spaces.Select(space => space?.Note).OfType<string>().Distinct();

    /// <summary>Opens the teacher and queries it, of a route the anchors that the method uses. Rows without usable embeddings are left out of the split.</summary>
    /// <exception cref="InvalidOperationException">An embedding is not usable; the message names the row.</exception>
    public static EmbeddingAnchors Create(EmbeddingOptions options, EmbeddingRequest request, DataSplit split)
    {
        var anchors = new EmbeddingAnchors(options.Teacher.Open(request));
        var answers = new Dictionary<int, Tensor>();
        try
        {
            var check = new EmbeddingAnswers(request.Set, split, options, request.Channel);
            var used = options.Method.SelectAnchors(anchors.Anchors);
            foreach (var i in used)
            {
                answers[i] = anchors._opened[i].Compute();
                check.Check(answers[i], anchors.NameOf(i, options));
            }

            foreach (var i in used.Reverse())
            {
                var space = TeacherSpace.Create(
                    options, answers[i], anchors._opened[i].Query, split.Training, request.Set.RowIds, i == used[^1] ? null : anchors.Last, anchors.NameOf(i, options));
                anchors._spaces[i] = space;
            }

            return anchors;
        }
        catch
        {
            foreach (var answer in answers.Values)
                answer.Dispose();
            anchors.Dispose();
            throw;
        }
    }

    private string NameOf(int anchor, EmbeddingOptions options) => _opened.Count == 1 ? options.Teacher.Name : $"{options.Teacher.Name}, {_opened[anchor].Label}";

    public void Dispose()
    {
        foreach (var space in _spaces)
            space?.Dispose();
        foreach (var opened in _opened)
            opened.Dispose();
    }
}
