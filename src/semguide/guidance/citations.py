"""The BibTeX entries of the rules."""

SGT_PAPER = """\
@article{kang2023semantic,
  title   = {Semantic Guidance Tuning for Text-To-Image Diffusion Models},
  author  = {Kang, Hyun and Lee, Dohae and Shin, Myungjin and Lee, In-Kwon},
  journal = {arXiv preprint arXiv:2312.15964},
  year    = {2023}
}"""

CFG_PAPER = """\
@article{ho2022classifier,
  title   = {Classifier-Free Diffusion Guidance},
  author  = {Ho, Jonathan and Salimans, Tim},
  journal = {arXiv preprint arXiv:2207.12598},
  year    = {2022}
}"""

COMPOSABLE_PAPER = """\
@article{liu2022compositional,
  title   = {Compositional Visual Generation with Composable Diffusion Models},
  author  = {Liu, Nan and Li, Shuang and Du, Yilun and Torralba, Antonio and Tenenbaum, Joshua B.},
  journal = {arXiv preprint arXiv:2206.01714},
  year    = {2022}
}"""

SEGA_PAPER = """\
@article{brack2023sega,
  title   = {{SEGA}: Instructing Text-to-Image Models using Semantic Guidance},
  author  = {Brack, Manuel and Friedrich, Felix and Hintersdorf, Dominik and Struppek, Lukas and
             Schramowski, Patrick and Kersting, Kristian},
  journal = {arXiv preprint arXiv:2301.12247},
  year    = {2023}
}"""

PERP_NEG_PAPER = """\
@article{armandpour2023reimagine,
  title   = {Re-imagine the Negative Prompt Algorithm: Transform {2D} Diffusion into {3D}, alleviate {Janus} problem
             and Beyond},
  author  = {Armandpour, Mohammadreza and Sadeghian, Ali and Zheng, Huangjie and Sadeghian, Amir and Zhou, Mingyuan},
  journal = {arXiv preprint arXiv:2304.04968},
  year    = {2023}
}"""

CO3_PAPER = """\
@article{dutta2025co3,
  title   = {{CO3}: Contrasting Concepts Compose Better},
  author  = {Dutta, Debottam and Chen, Jianchong and Rajagopalan, Rajalaxmi and Wei, Yu-Lin and
             Roy Choudhury, Romit},
  journal = {arXiv preprint arXiv:2509.25940},
  year    = {2025}
}"""

CDG_PAPER = """\
@article{han2026guiding,
  title   = {Guiding Diffusion Models with Semantically Degraded Conditions},
  author  = {Han, Shilong and Zhang, Yuming and Wang, Hongxia},
  journal = {arXiv preprint arXiv:2603.10780},
  year    = {2026}
}"""

APG_PAPER = """\
@article{sadat2024eliminating,
  title   = {Eliminating Oversaturation and Artifacts of High Guidance Scales in Diffusion Models},
  author  = {Sadat, Seyedmorteza and Hilliges, Otmar and Weber, Romann M.},
  journal = {arXiv preprint arXiv:2410.02416},
  year    = {2024}
}"""

CFG_ZERO_STAR_PAPER = """\
@article{fan2025cfgzero,
  title   = {{CFG-Zero*}: Improved Classifier-Free Guidance for Flow Matching Models},
  author  = {Fan, Weichen and Zheng, Amber Yijia and Yeh, Raymond A. and Liu, Ziwei},
  journal = {arXiv preprint arXiv:2503.18886},
  year    = {2025}
}"""

PAG_PAPER = """\
@article{ahn2024selfrectifying,
  title   = {Self-Rectifying Diffusion Sampling with Perturbed-Attention Guidance},
  author  = {Ahn, Donghoon and Cho, Hyoungwon and Min, Jaewon and Jang, Wooseok and Kim, Jungwoo and Kim, SeonHwa and
             Park, Hyun Hee and Jin, Kyong Hwan and Kim, Seungryong},
  journal = {arXiv preprint arXiv:2403.17377},
  year    = {2024}
}"""

ATTEND_EXCITE_PAPER = """\
@article{chefer2023attend,
  title   = {Attend-and-Excite: Attention-Based Semantic Guidance for Text-to-Image Diffusion Models},
  author  = {Chefer, Hila and Alaluf, Yuval and Vinker, Yael and Wolf, Lior and Cohen-Or, Daniel},
  journal = {arXiv preprint arXiv:2301.13826},
  year    = {2023}
}"""

SYNGEN_PAPER = """\
@article{rassin2023linguistic,
  title   = {Linguistic Binding in Diffusion Models: Enhancing Attribute Correspondence through Attention Map
             Alignment},
  author  = {Rassin, Royi and Hirsch, Eran and Glickman, Daniel and Ravfogel, Shauli and Goldberg, Yoav and
             Chechik, Gal},
  journal = {arXiv preprint arXiv:2306.08877},
  year    = {2023}
}"""

FOCUS_PAPER = """\
@article{focus2025,
  title   = {Optimal Control Meets Flow Matching: A Principled Route to Multi-Subject Fidelity},
  author  = {Bill, Eric Tillmann and Simsar, Enis and Hofmann, Thomas},
  journal = {arXiv preprint arXiv:2510.02315},
  year    = {2025}
}"""

FK_STEERING_PAPER = """\
@article{singhal2025general,
  title   = {A General Framework for Inference-time Scaling and Steering of Diffusion Models},
  author  = {Singhal, Raghav and Horvitz, Zachary and Teehan, Ryan and Ren, Mengye and Yu, Zhou and McKeown, Kathleen
             and Ranganath, Rajesh},
  journal = {arXiv preprint arXiv:2501.06848},
  year    = {2025}
}"""

CFG_REJECTION_PAPER = """\
@article{wang2025samplingpath,
  title   = {Diffusion Sampling Path Tells More: An Efficient Plug-and-Play Strategy for Sample Filtering},
  author  = {Wang, Sixian and Tang, Zhiwei and Chang, Tsung-Hui},
  journal = {arXiv preprint arXiv:2505.23343},
  year    = {2025}
}"""

CLIP_PAPER = """\
@article{radford2021clip,
  title   = {Learning Transferable Visual Models From Natural Language Supervision},
  author  = {Radford, Alec and Kim, Jong Wook and Hallacy, Chris and Ramesh, Aditya and Goh, Gabriel and Agarwal,
             Sandhini and Sastry, Girish and Askell, Amanda and Mishkin, Pamela and Clark, Jack and Krueger, Gretchen
             and Sutskever, Ilya},
  journal = {arXiv preprint arXiv:2103.00020},
  year    = {2021}
}"""

SOFTWARE = """\
@software{semguide,
  title   = {semguide: Balanced Semantic Guidance for Text-to-Image Diffusion},
  author  = {{The semguide contributors}},
  year    = {2026}
}"""

PERSONALIZATION_PAPER = """\
@article{park2025steering,
  title   = {Steering Guidance for Personalized Text-to-Image Diffusion Models},
  author  = {Park, Sunghyun and Choi, Seokeon and Park, Hyoungwoo and Yun, Sungrack},
  journal = {arXiv preprint arXiv:2508.00319},
  year    = {2025}
}"""
