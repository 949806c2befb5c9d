using MlNetDistill.Data;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>The teacher of an embedding fit, or the anchors of its route in order, with their embeddings of all rows.</summary>
internal sealed class EmbeddingAnchors : IDisposable
{
    private readonly IReadOnlyList<OpenEmbeddings> _opened;
    private readonly TeacherSpace[] _spaces;

    private EmbeddingAnchors(IReadOnlyList<OpenEmbeddings> opened) => (_opened, _spaces) = (opened, new TeacherSpace[opened.Count]);

    /// <summary>The teacher, or the last anchor of a route, by which the student is judged.</summary>
    public TeacherSpace Last => _spaces[^1];

    /// <summary>The anchors as teachers of stages.</summary>
    public IReadOnlyList<Anchor> Anchors => [.. _opened.Zip(_spaces, (opened, space) => new Anchor(opened.Label, opened.Epoch, space.Target))];

    /// <summary>What was decided, as sentences.</summary>
    public IEnumerable<string> Notes => _spaces.Select(space => space.Note).OfType<string>().Distinct();

    /// <summary>Opens and queries the teacher. Rows without usable embeddings are left out of the split.</summary>
    /// <exception cref="InvalidOperationException">An embedding is not usable; the message names the row.</exception>
    public static EmbeddingAnchors Create(EmbeddingOptions options, EmbeddingRequest request, DataSplit split)
    {
        var anchors = new EmbeddingAnchors(options.Teacher.Open(request));
        var answers = new List<Tensor>();
        try
        {
            var check = new EmbeddingAnswers(request.Set, split, options, request.Channel);
            foreach (var opened in anchors._opened)
            {
                answers.Add(opened.Compute());
                check.Check(answers[^1], anchors._opened.Count == 1 ? options.Teacher.Name : $"{options.Teacher.Name}, {opened.Label}");
            }

            for (var i = answers.Count - 1; i >= 0; i--)
                anchors._spaces[i] = TeacherSpace.Create(options, answers[i], anchors._opened[i].Query, split.Training, request.Set.RowIds, i == answers.Count - 1 ? null : anchors.Last);
            return anchors;
        }
        catch
        {
            answers.ForEach(answer => answer.Dispose());
            anchors.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var space in _spaces)
            space?.Dispose();
        foreach (var opened in _opened)
            opened.Dispose();
    }
}
